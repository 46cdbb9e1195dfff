"""From a proposed change to a deployed one: pull request, CI, approval, promotion, deploy hook.

A CI system stands by as a receiver of webhooks: it verifies each one, looks at the files that were
changed through the API, and reports a status, as a real one would.
"""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError
from standardwebhooks import Webhook, WebhookVerificationError

from tests.live import LiveServer, wait_until
from tests.wire.git_client import Clone, Git
from tests.wire.plain import Plain

pytestmark = pytest.mark.wire
REPO = "acme/tiny"
API = f"/api/v1/repos/models/{REPO}"
CHECK = "ci/config-is-json"
SECONDS = 30


@dataclass
class Receiver:
    """Takes webhooks that verify, and gives each to ``work``."""

    port: int = 0
    secret: str = ""
    got: list[dict[str, Any]] = field(default_factory=list)
    forged: int = 0

    def work(self, told: dict[str, Any]) -> None:
        self.got.append(told)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


@dataclass
class Ci(Receiver):
    """Reports whether config.json of a pull request can be parsed."""

    hub: Plain | None = None

    def work(self, told: dict[str, Any]) -> None:
        assert self.hub is not None
        for move in told.get("updatedRefs", ()):
            sha = move["newSha"]
            raw = self.hub("GET", f"/{told['repo']['name']}/resolve/{sha}/config.json").body
            try:
                json.loads(raw)
                state = "success"
            except ValueError:
                state = "failure"
            body = {"state": state, "context": CHECK, "target_url": f"https://ci.test/{sha}"}
            self.hub("POST", f"{API}/statuses/{sha}", body)
        super().work(told)


def serve(receiver: Receiver) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                told = Webhook(receiver.secret).verify(body, dict(self.headers))
                receiver.work(told)
            except WebhookVerificationError:
                receiver.forged += 1
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@dataclass
class Stage:
    """The hub with Ada, who owns acme, Ben, who may write there, their CI and their cluster."""

    live: LiveServer
    plain: Plain
    ci: Ci
    cluster: Receiver

    def api(self, who: str) -> HfApi:
        return HfApi(endpoint=self.live.url, token=self.live.token(who))

    def ask(self, method: str, path: str, body: Any = None, who: str = "ada") -> Any:
        return self.plain(method, path, body, who=who)

    def state(self, revision: str) -> str:
        told = self.ask("GET", f"{API}/statuses/{revision}").json
        return next((one["state"] for one in told["statuses"] if one["context"] == CHECK), "")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    ci, cluster = Ci(), Receiver()
    servers = [serve(ci), serve(cluster)]
    environ = {
        "WEIGHHOUSE_WEBHOOK_ALLOW_CIDRS": "127.0.0.0/8",
        "WEIGHHOUSE_WEBHOOK_PORTS": f"{ci.port},{cluster.port}",
    }
    with LiveServer(environ=environ, workers=True) as live:
        for name in ("ada", "ben"):
            live.create_user(name)
        live.create_org("acme", owner="ada")
        live.add_member("acme", "ben", role="write")
        plain = Plain(live.url, {name: live.token(name) for name in ("ada", "ben")})
        ci.hub = plain
        yield Stage(live, plain, ci, cluster)
    for server in servers:
        server.shutdown()
        server.server_close()


def hook(stage: Stage, receiver: Receiver, *events: str) -> None:
    body = {
        "url": receiver.url,
        "watched": [{"type": "model", "name": REPO}],
        "events": list(events),
        "owner": "acme",
    }
    made = stage.ask("POST", "/api/settings/webhooks", body)
    assert made.status == 200, made
    receiver.secret = made.json["signingSecret"]


RULES = [
    {"kind": "branch", "pattern": "main", "needs_pull_request": True},
    {"kind": "tag", "pattern": "production", "keeps_history": False},
]


@pytest.fixture
def clone(stage: Stage, tmp_path: Path) -> Clone:
    """Ben's, of a repo whose branch and tag want the check and an approval."""
    ada = stage.api("ada")
    ada.create_repo(REPO)
    ada.upload_file(path_or_fileobj=b"{}", path_in_repo="config.json", repo_id=REPO)
    hook(stage, stage.ci, "pr-ref")
    hook(stage, stage.cluster, "promotion")
    for rule in RULES:
        needs = {"needed_approvals": 1, "needed_checks": [CHECK]}
        assert stage.ask("PUT", f"{API}/ref-rules", rule | needs).status == 200
    return Git(stage.live, tmp_path, who="ben").clone(REPO)


def write(clone: Clone, config: str) -> str:
    (clone.folder / "config.json").write_text(config)
    clone("commit", "--quiet", "--all", "--message", "Change the config")
    return clone("rev-parse", "HEAD")


def test_a_change_goes_from_proposal_to_deployment(stage: Stage, clone: Clone) -> None:
    neither_client_nor_git_go_around_the_rule(stage, clone)
    number = a_broken_change_is_held_back(stage)
    head = it_is_mended_approved_and_merged(stage, clone, number)
    a_second_person_promotes_it(stage, head)

    assert (stage.ci.forged, stage.cluster.forged) == (0, 0)
    assert stage.live.fsck("--deep") == []


def neither_client_nor_git_go_around_the_rule(stage: Stage, clone: Clone) -> None:
    with pytest.raises(HfHubHTTPError, match="changes by pull requests alone"):
        stage.api("ben").upload_file(path_or_fileobj=b"{", path_in_repo="config.json", repo_id=REPO)
    write(clone, "{")

    pushed = clone.git.tried("push", "origin", "HEAD:main", at=clone.folder)

    assert pushed.returncode != 0
    assert "refs/heads/main is protected: it changes by pull requests alone" in pushed.stderr


def a_broken_change_is_held_back(stage: Stage) -> int:
    """Ben proposes it by the client, CI reports on it; answer its number."""
    broken = stage.api("ben").create_commit(
        REPO,
        [CommitOperationAdd("config.json", b'{"hidden_size": ')],
        commit_message="Change the size",
        create_pr=True,
    )
    number = broken.pr_num
    assert number is not None
    wait_until(lambda: stage.state(broken.oid) == "failure", SECONDS, "CI reports")
    assert stage.ask("POST", f"{API}/pull-requests/{number}/approvals", {}).status == 201
    with pytest.raises(HfHubHTTPError, match="the check ci/config-is-json is failure"):
        stage.api("ada").merge_pull_request(REPO, number)
    return number


def it_is_mended_approved_and_merged(stage: Stage, clone: Clone, number: int) -> str:
    """Ben mends it by git; the approval was for what it was before. Answer the new head."""
    ada, approvals = stage.api("ada"), f"{API}/pull-requests/{number}/approvals"
    clone("fetch", "--quiet", "origin", f"refs/pr/{number}:pr")
    clone("checkout", "--quiet", "--force", "pr")
    head = write(clone, '{"hidden_size": 32}')
    clone("push", "--quiet", "origin", f"HEAD:refs/pr/{number}")
    wait_until(lambda: stage.state(head) == "success", SECONDS, "CI reports again")
    with pytest.raises(HfHubHTTPError, match="0 of the 1 approvals"):
        ada.merge_pull_request(REPO, number)

    assert stage.ask("POST", approvals, {"head": head}).status == 201
    ada.merge_pull_request(REPO, number)

    assert ada.model_info(REPO).sha == head
    return head


def a_second_person_promotes_it(stage: Stage, head: str) -> None:
    """Only then the tag moves, and the cluster hears of it."""
    wish = {"tag": "production", "revision": "main", "note": "The size is right now"}
    asked = stage.ask("POST", f"{API}/promotions", wish, who="ben").json
    approve = f"{API}/promotions/{asked['id']}/approve"
    assert stage.ask("POST", approve, {}, who="ben").status == 403

    assert stage.ask("POST", approve, {}).json["status"] == "done"

    refs = stage.api("ada").list_repo_refs(REPO)
    assert [tag.target_commit for tag in refs.tags] == [head]
    wait_until(lambda: len(stage.cluster.got) == 2, SECONDS, "the deploy hook")
    told = sorted((one["promotion"]["status"], one["actor"]["name"]) for one in stage.cluster.got)
    assert told == [("done", "ada"), ("open", "ben")]
    assert {one["promotion"]["new"] for one in stage.cluster.got} == {head}
