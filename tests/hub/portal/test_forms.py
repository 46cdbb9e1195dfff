"""What the forms of repos change."""

import pytest

from hub.models import Repo
from tests.cast import Cast
from tests.hub.portal.conftest import Browse

NEW = {"owner": "ada", "name": "mine", "kind": "model", "visibility": "public", "licence": ""}


def test_a_new_repo_is_there_as_the_form_said(browse: Browse, cast: Cast) -> None:
    answer = browse(cast.ada).post("/new", {**NEW, "owner": "acme", "visibility": "private"})

    repo = Repo.objects.get()
    assert answer["Location"] == "/acme/mine"
    assert (repo.full_name, repo.kind, repo.visibility) == ("acme/mine", "model", "private")


def test_a_licence_chosen_at_the_start_stands_in_the_card(browse: Browse, cast: Cast) -> None:
    browse(cast.ada).post("/new", {**NEW, "kind": "dataset", "licence": "mit"})

    assert Repo.objects.get().card.tags[:1] == ["license:mit"]
    assert "MIT" in browse(None).get("/datasets/ada/mine").content.decode()


@pytest.mark.parametrize(
    "wrong", [{"name": ""}, {"name": "a--b"}, {"name": "a/b"}, {"owner": "cleo"}, {"kind": "x"}]
)
def test_a_new_repo_that_cannot_be_is_refused_on_the_form(
    browse: Browse, cast: Cast, wrong: dict[str, str]
) -> None:
    answer = browse(cast.ada).post("/new", {**NEW, **wrong})

    assert answer.status_code == 422
    assert "errorlist" in answer.content.decode()
    assert not Repo.objects.exists()


def test_a_name_that_is_taken_is_told_on_the_form(browse: Browse, cast: Cast) -> None:
    cast.repo("ada/mine")

    answer = browse(cast.ada).post("/new", {**NEW, "licence": "mit"})

    assert answer.status_code == 422
    assert "already" in answer.content.decode()


def test_who_is_signed_out_is_sent_to_sign_in_and_back(browse: Browse) -> None:
    answer = browse(None).get("/new?kind=dataset&owner=acme")

    assert answer["Location"] == "/login?next=/new%3Fkind%3Ddataset%26owner%3Dacme"


def test_visibility_and_gate_are_changed_by_their_forms(browse: Browse, cast: Cast) -> None:
    repo, owner = cast.repo("ada/mine"), browse(cast.ada)

    owner.post("/ada/mine/settings", {"action": "visibility", "visibility": "private"})
    owner.post("/ada/mine/settings", {"action": "gate", "gate": "manual"})

    repo.refresh_from_db()
    assert (repo.visibility, repo.gate) == ("private", "manual")


def test_the_form_keeps_a_gate_that_a_client_set(browse: Browse, cast: Cast) -> None:
    repo, owner = cast.repo("ada/mine"), browse(cast.ada)
    Repo.objects.filter(pk=repo.pk).update(gate="auto")

    page = owner.get("/ada/mine/settings").content.decode()
    owner.post("/ada/mine/settings", {"action": "gate", "gate": "auto"})

    repo.refresh_from_db()
    assert repo.gate == "auto"
    assert page.count('value="auto"') == 1


def test_a_rename_to_a_taken_name_leaves_the_repo_as_it_is(browse: Browse, cast: Cast) -> None:
    cast.repo("ada/mine")
    cast.repo("ada/taken")
    form = {"action": "rename", "owner": "ada", "name": "taken"}

    answer = browse(cast.ada).post("/ada/mine/settings", form)

    assert answer.status_code == 422
    assert "already exists" in answer.content.decode()
    assert 'href="/ada/mine"' in answer.content.decode()


def test_a_repo_is_deleted_by_typing_its_name(browse: Browse, cast: Cast) -> None:
    cast.repo("ada/mine")
    owner = browse(cast.ada)

    slip = owner.post("/ada/mine/settings", {"action": "delete", "confirmation": "ada/min"})
    assert (slip.status_code, Repo.objects.count()) == (422, 1)

    done = owner.post("/ada/mine/settings", {"action": "delete", "confirmation": "ada/mine"})
    assert (done["Location"], Repo.objects.count()) == ("/ada", 0)


def test_settings_know_four_actions(browse: Browse, cast: Cast) -> None:
    cast.repo("ada/mine")

    assert browse(cast.ada).post("/ada/mine/settings", {"action": "x"}).status_code == 400


def test_a_member_who_may_not_write_changes_no_settings(browse: Browse, cast: Cast) -> None:
    cast.repo("ada/mine")
    form = {"action": "delete", "confirmation": "ada/mine"}

    assert browse(cast.cleo).post("/ada/mine/settings", form).status_code == 403
    assert browse(None).post("/ada/mine/settings", form).status_code == 401
    assert Repo.objects.count() == 1
