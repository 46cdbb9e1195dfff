"""Gated repos: ask, review, grant; what each caller may read meanwhile, and who hears of it."""

import base64
import json
from typing import Any

import pytest
from django.test import Client

from hub.models import AccessRequest, Event, Notification, Repo, Webhook
from hub.policies import may_hear
from hub.services.fan_out import fan_out
from teams.models import AuditEntry, User
from teams.roles import Permission
from teams.services import tokens
from teams.services.tokens import Allowed
from tests.cast import Cast
from tests.hub.wire.callers import bearer, caller

pytestmark = pytest.mark.django_db

CARD = """---
extra_gated_heading: Tell us who you are
extra_gated_prompt: "Be **kind**. <script>alert(1)</script>"
extra_gated_button_content: Let me in
extra_gated_fields:
  Company: text
  Country: country
  Born: date_picker
  I want to use it for:
    type: select
    options: [Research, {label: Play, value: play}]
  I agree: checkbox
---
# Gated
"""
FIELDS = {
    "Company": "Acme",
    "Country": "Norway",
    "Born": "1990-02-03",
    "I want to use it for": "play",
    "I agree": True,
}


def gated(cast: Cast, gate: str = "manual", card: str = "", name: str = "ada/gate") -> Repo:
    repo, api = cast.repo(name), f"/api/models/{name}"
    lines: list[dict[str, Any]] = [{"key": "header", "value": {"summary": "card"}}]
    if card:
        content = base64.b64encode(card.encode()).decode()
        lines.append({"key": "file", "value": {"path": "README.md", "content": content}})
        body = "\n".join(json.dumps(line) for line in lines)
        put = caller(cast.root).post(
            f"{api}/commit/main", body, content_type="application/x-ndjson"
        )
        assert put.status_code == 200, put.content
    answer = caller(cast.root).put(
        f"{api}/settings", {"gated": gate}, content_type="application/json"
    )
    assert answer.json()["gated"] == gate
    return Repo.objects.select_related("namespace").get(pk=repo.pk)


def ask(user: User, repo: Repo, fields: dict[str, Any] | None = None) -> Any:
    return caller(user).post(
        f"/api/models/{repo}/ask-access", {"fields": fields or {}}, content_type="application/json"
    )


def handle(by: User, repo: Repo, verb: str = "handle", **body: str) -> Any:
    url = f"/api/models/{repo}/user-access-request/{verb}"
    return caller(by).post(url, body, content_type="application/json")


def listed(user: User, repo: Repo, status: str) -> Any:
    answer = caller(user).get(f"/api/models/{repo}/user-access-request/{status}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def read(client: Client, repo: Repo) -> Any:
    return client.get(f"{repo.url}/resolve/main/.gitattributes")


def test_a_manual_gate_opens_for_whom_the_owner_accepts(cast: Cast) -> None:
    repo = gated(cast)
    before, answer = read(caller(cast.cleo), repo), ask(cast.cleo, repo)
    waiting, pending = read(caller(cast.cleo), repo), listed(cast.ada, repo, "pending")

    handled = handle(cast.ada, repo, user="cleo", status="accepted")

    assert (before.status_code, before["X-Error-Code"]) == (403, "GatedRepo")
    known = "Access to model ada/gate is restricted and you are not in the authorized list"
    assert known in before["X-Error-Message"]
    assert answer.json()["status"] == "pending"
    assert "awaiting a review" in waiting["X-Error-Message"]
    assert [one["user"]["user"] for one in pending] == ["cleo"]
    assert handled.status_code == 200
    assert read(caller(cast.cleo), repo).status_code == 200
    assert [one["status"] for one in listed(cast.ada, repo, "accepted")] == ["accepted"]
    assert listed(cast.ada, repo, "pending") == []


def test_an_automatic_gate_opens_for_who_asks(cast: Cast) -> None:
    repo = gated(cast, "auto")
    assert read(caller(cast.cleo), repo).status_code == 403

    answer = ask(cast.cleo, repo)

    assert answer.json()["status"] == "accepted"
    assert read(caller(cast.cleo), repo).status_code == 200
    assert read(Client(), repo).status_code == 401
    assert read(Client(), repo)["X-Error-Code"] == "GatedRepo"


def test_members_need_not_ask(cast: Cast) -> None:
    repo = gated(cast, name="acme/gate")

    assert read(caller(cast.ben), repo).status_code == 200
    assert read(caller(cast.cleo), repo).status_code == 403


def test_access_ends_at_once_when_it_is_taken_back(cast: Cast) -> None:
    repo, cleo = gated(cast), caller(cast.cleo)
    assert handle(cast.ada, repo, "grant", user="cleo").status_code == 200
    assert read(cleo, repo).status_code == 200

    handle(cast.ada, repo, user="cleo", status="rejected", rejectionReason="Not for you")

    assert "rejected" in read(cleo, repo)["X-Error-Message"]
    handle(cast.ada, repo, user="cleo", status="pending")
    assert "awaiting" in read(cleo, repo)["X-Error-Message"]


def test_what_a_card_asks_has_to_be_filled_in(cast: Cast) -> None:
    repo = gated(cast, card=CARD)
    wrong = [
        {},
        FIELDS | {"I agree": False},
        FIELDS | {"Born": "yesterday"},
        FIELDS | {"I want to use it for": "war"},
        FIELDS | {"Company": "x" * 2001},
        FIELDS | {"Country": "<b>"},
    ]

    refused = [ask(cast.cleo, repo, fields) for fields in wrong]
    taken = ask(cast.cleo, repo, FIELDS | {"More": "not asked"})

    assert [answer.status_code for answer in refused] == [422] * len(wrong)
    assert taken.json()["fields"] == FIELDS
    assert listed(cast.ada, repo, "pending")[0]["fields"] == FIELDS


def test_what_makes_no_sense_is_refused(cast: Cast) -> None:
    repo, open_repo = gated(cast), cast.repo("ada/open")
    ask(cast.cleo, repo)

    found = {
        "twice": ask(cast.cleo, repo).status_code,
        "same status": handle(cast.ada, repo, user="cleo", status="pending").status_code,
        "no status": handle(cast.ada, repo, user="cleo", status="perhaps").status_code,
        "did not ask": handle(cast.ada, repo, user="ben", status="accepted").status_code,
        "nobody": handle(cast.ada, repo, user="none", status="accepted").status_code,
        "no id": handle(cast.ada, repo, requestId="x", status="accepted").status_code,
        "grant nobody": handle(cast.ada, repo, "grant", user="none").status_code,
        "not gated": handle(cast.ada, open_repo, "grant", user="cleo").status_code,
        "ask open": ask(cast.cleo, open_repo).status_code,
        "no list": caller(cast.ada).get(f"/api/models/{repo}/user-access-request/x").status_code,
        "a stranger's": handle(cast.cleo, repo, user="cleo", status="accepted").status_code,
        "a stranger grants": handle(cast.cleo, repo, "grant", user="cleo").status_code,
        "a stranger lists": caller(cast.cleo)
        .get(f"/api/models/{repo}/user-access-request/pending")
        .status_code,
        "anonymous": Client().post(f"/api/models/{repo}/ask-access").status_code,
    }

    assert handle(cast.ada, repo, "grant", user="cleo").status_code == 200
    assert handle(cast.ada, repo, "grant", user="cleo").status_code == 400
    assert found == {
        "twice": 409,
        "same status": 404,
        "no status": 400,
        "did not ask": 404,
        "nobody": 404,
        "no id": 404,
        "grant nobody": 404,
        "not gated": 400,
        "ask open": 400,
        "no list": 404,
        "a stranger's": 403,
        "a stranger grants": 403,
        "a stranger lists": 403,
        "anonymous": 401,
    }


def test_a_hidden_gated_repo_is_missing_for_who_asks(cast: Cast) -> None:
    hidden = cast.repo("ada/hidden", private=True)
    Repo.objects.filter(pk=hidden.pk).update(gate="manual")

    asked, missing = ask(cast.cleo, hidden), ask(cast.cleo, cast.repo("ada/x"))
    none = caller(cast.cleo).post("/api/models/ada/none/ask-access")

    assert (asked.status_code, asked.content) == (none.status_code, none.content)
    assert missing.status_code == 400


def test_a_fine_grained_token_reads_gated_repos_if_it_may(cast: Cast) -> None:
    repo = gated(cast)
    handle(cast.ada, repo, "grant", user="cleo")

    def client(*named: Permission) -> Client:
        wish = tokens.Wish(name="fine", allowed=(Allowed(frozenset(named)),))
        return Client(headers=bearer(tokens.issue_as(wish, user=cast.cleo)[1]))

    assert read(client(Permission.GATED_READ), repo).status_code == 200
    refused = read(client(Permission.DISCUSS), repo)
    assert (refused.status_code, refused["X-Error-Code"]) == (403, "GatedRepo")
    assert "this access token" in refused["X-Error-Message"]


def test_owners_hear_of_wishes_and_who_asked_of_the_answer(cast: Cast) -> None:
    repo = gated(cast)
    ask(cast.cleo, repo)
    fan_out()
    handle(cast.ada, repo, user="cleo", status="accepted")
    fan_out()

    told = {(one.user.name, one.told) for one in Notification.objects.select_related("user")}
    page = Client()
    page.force_login(cast.ada)

    assert told == {("ada", "repo.access.create"), ("cleo", "repo.access.update")}
    assert "asks for access" in page.get("/notifications").content.decode()


def test_webhooks_of_those_who_decide_hear_of_it_and_no_others(cast: Cast) -> None:
    repo = gated(cast)
    ask(cast.cleo, repo)
    event = Event.objects.get(scope="repo.access")
    assert event.details["accessRequest"]["user"] == "cleo"

    def hook(user: User) -> Webhook:
        return Webhook(namespace=user.namespace)

    assert may_hear(hook(cast.ada), event, repo)
    assert not may_hear(hook(cast.ben), event, repo)
    assert not may_hear(hook(cast.cleo), event, repo)


def test_decisions_stand_in_the_audit_log(cast: Cast) -> None:
    repo = gated(cast)
    ask(cast.cleo, repo)
    handle(cast.ada, repo, user="cleo", status="accepted")
    handle(cast.ada, repo, user="cleo", status="rejected")

    found = AuditEntry.objects.filter(action__startswith="repo.access").order_by("pk")

    assert [one.action for one in found] == ["repo.access.grant", "repo.access.reject"]


def test_pages_let_one_ask_decide_and_export(cast: Cast) -> None:
    repo = gated(cast, card=CARD)
    cleo, ada = Client(), Client()
    cleo.force_login(cast.cleo)
    ada.force_login(cast.ada)

    shown = cleo.get(repo.url).content.decode()
    sent_on = cleo.get(f"{repo.url}/tree/main")
    wrong = cleo.post(f"{repo.url}/ask-access", {"field0": "=1+1"})
    asked = cleo.post(
        f"{repo.url}/ask-access",
        {
            "field0": "=1+1",
            "field1": "Norway",
            "field2": "1990-02-03",
            "field3": "play",
            "field4": "on",
        },
    )
    review = ada.get(f"{repo.url}/access-requests").content.decode()
    table = b"".join(ada.get(f"{repo.url}/access-requests.csv")).decode()
    accepted = ada.post(f"{repo.url}/access-requests", {"accept": "cleo"})

    assert "Tell us who you are" in shown
    assert "Be <strong>kind</strong>" in shown
    assert "<script>alert" not in shown
    assert (sent_on.status_code, sent_on["Location"]) == (302, f"{repo.url}#gate")
    assert wrong.status_code == 422
    assert asked.status_code == 302
    assert "Norway" in review
    assert "cleo" in table
    assert "'=1+1" in table
    assert accepted.status_code == 302
    assert AccessRequest.objects.get().status == "accepted"
    assert "#gate" not in cleo.get(f"{repo.url}/tree/main").headers.get("Location", "")
    assert cleo.get(f"{repo.url}/access-requests").status_code == 403
    assert cleo.get(f"{repo.url}/access-requests.csv").status_code == 403
    assert "ada/gate" in cleo.get("/settings/gated-repos").content.decode()


@pytest.mark.parametrize("text", [r"a\u0000b", r"a\ud800b"])
def test_an_answer_that_cannot_be_kept_is_refused(cast: Cast, text: str) -> None:
    gated(cast, card=CARD)
    told = json.dumps({"fields": FIELDS}).replace("Acme", text)

    answer = caller(cast.cleo).post(
        "/api/models/ada/gate/ask-access", told, content_type="application/json"
    )

    assert answer.status_code == 400


def test_whom_an_automatic_gate_let_in_stands_in_the_audit_log(cast: Cast) -> None:
    gated(cast, gate="auto")

    caller(cast.cleo).post("/api/models/ada/gate/ask-access", {}, content_type="application/json")

    entry = AuditEntry.objects.get(action="repo.access.grant")
    assert (entry.actor_name, entry.chain) == ("cleo", cast.ada.namespace_id)
    assert entry.details == {"status": {"old": None, "new": "accepted"}, "user": "cleo"}
