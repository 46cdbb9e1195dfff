"""The audit log over REST: for admins alone; who goes on from a cursor misses no entry."""

import json

import pytest
from django.test import Client

from teams.models import AuditEntry, Namespace
from teams.services import audit_sealing, tokens
from teams.services.audit import Target, record
from tests.cast import Cast

LOG = "/api/v1/namespaces/acme/audit-log"


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture
def ada(cast: Cast) -> Client:
    """The owner of acme, by a read token."""
    return Client(headers=bearer(tokens.issue(user=cast.ada, name="t")[1]))


def write(cast: Cast, *actions: str) -> Namespace:
    namespace = cast.acme.namespace
    for action in actions:
        target = Target("model", "acme/tiny", 7)
        record(action, by=cast.ada, namespace=namespace, target=target, details={"n": 1})
    audit_sealing.seal()
    return namespace


def test_pages_follow_each_other_and_end(cast: Cast, ada: Client) -> None:
    namespace = write(cast, *["repo.create"] * 5)
    total = AuditEntry.objects.filter(chain=namespace.pk).count()
    seen: list[int] = []
    url = f"{LOG}?limit=2"
    while url:
        answer = ada.get(url)
        seen += [entry["seq"] for entry in answer.json()["results"]]
        cursor = answer.json()["next_cursor"]
        url = f"{LOG}?limit=2&cursor={cursor}" if cursor else ""
        assert ("Link" in answer) == bool(cursor)

    assert seen == list(range(1, total + 1))


def test_lines_are_entries(cast: Cast, ada: Client) -> None:
    write(cast, "repo.create", "repo.delete")

    answer = ada.get(f"{LOG}?format=ndjson&action=repo")
    entries = [json.loads(line) for line in answer.content.splitlines()]

    assert answer["Content-Type"] == "application/x-ndjson"
    assert [entry["action"] for entry in entries] == ["repo.create", "repo.delete"]
    assert entries[0]["actor"]["name"] == "ada"
    assert entries[0]["target"] == {"type": "model", "name": "acme/tiny", "id": 7}


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("action=repo.create", 1),
        ("action=rep", 0),
        ("action=repo&actor=ada", 2),
        ("action=repo&actor=ben", 0),
        ("target=acme/tiny&until=2001-01-01", 0),
        ("target=acme/tiny&since=2001-01-01T00:00:00Z", 2),
    ],
)
def test_filters_narrow(cast: Cast, ada: Client, query: str, count: int) -> None:
    write(cast, "repo.create", "repo.delete")

    assert len(ada.get(f"{LOG}?{query}").json()["results"]) == count


@pytest.mark.parametrize(
    "query",
    [
        "cursor=x",
        "cursor=-1",
        f"cursor={1 << 70}",
        f"cursor={'1' * 5000}",
        "limit=0",
        "since=soon",
        "format=xml",
    ],
)
def test_what_cannot_be_is_refused(cast: Cast, ada: Client, query: str) -> None:
    assert ada.get(f"{LOG}?{query}").status_code == 400


def test_the_page_that_offers_an_export_is_enough_to_get_it(cast: Cast) -> None:
    write(cast, "repo.create")
    browser = Client()
    browser.force_login(cast.ada)

    answer = browser.get(f"{LOG}?limit=5000&format=ndjson")

    assert answer.status_code == 200
    assert b"repo.create" in answer.content
    made = browser.post("/api/v1/organizations", {"name": "x"}, content_type="application/json")
    assert made.status_code == 401


def test_only_admins_read_it(cast: Cast, ada: Client) -> None:
    ben = Client(headers=bearer(tokens.issue(user=cast.ben, name="t", role="write")[1]))
    root = Client(headers=bearer(tokens.issue(user=cast.root, name="t")[1]))

    assert [who.get(LOG).status_code for who in (ada, ben, Client(), root)] == [200, 403, 401, 200]
    own = "/api/v1/namespaces/ada/audit-log"
    assert [who.get(own).status_code for who in (ada, ben, Client(), root)] == [200, 403, 401, 200]
    instance = "/api/v1/audit-log"
    codes = [who.get(instance).status_code for who in (ada, ben, Client(), root)]
    assert codes == [403, 403, 401, 200]
    assert ada.get("/api/v1/namespaces/nobody/audit-log").status_code == 404


def test_the_page_shows_what_happened_and_offers_the_export(cast: Cast) -> None:
    write(cast, "repo.create")
    client = Client()
    client.force_login(cast.ada)

    page = client.get("/orgs/acme/settings/audit?action=repo").content.decode()

    assert "<code>repo.create</code>" in page
    assert "/api/v1/namespaces/acme/audit-log?action=repo&amp;limit=5000&amp;format=ndjson" in page
    assert client.get("/settings/audit").status_code == 200
    assert client.get("/settings/instance/audit").status_code == 403
    client.force_login(cast.ben)
    assert client.get("/orgs/acme/settings/audit").status_code == 403


def test_pages_of_the_page_lead_to_older_entries(cast: Cast) -> None:
    write(cast, *["repo.create"] * 60)
    client = Client()
    client.force_login(cast.ada)

    first = client.get("/orgs/acme/settings/audit?action=repo")
    older = client.get(f"/orgs/acme/settings/audit{first.context['next_url']}")

    assert len(first.context["entries"]) == 50
    assert len(older.context["entries"]) == 10
    assert older.context["next_url"] == ""
