"""What comments show: whose it is, what it may be, and when it goes."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from hub.models import Attachment, AttachmentUse, Blob, Discussion
from hub.queries.attachments import address_of
from hub.queries.discussions import story_of
from hub.services import attachments, collect, comments, discussions, repos
from hub.services.repos import RepoSettings
from teams.errors import Forbidden, Invalid, Unauthenticated
from teams.models import User
from teams.policies import ANONYMOUS
from tests.cast import Cast, signed_in
from tests.hub.wire.callers import caller, content

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 100
MP4 = b"\x00\x00\x00\x18ftypmp42" + b"x" * 100


def uploaded(by: User, raw: bytes = PNG, media_type: str = "image/png") -> Attachment:
    return attachments.upload(
        media_type=media_type, pieces=[raw], by=signed_in(by), now=timezone.now()
    )


def talk(cast: Cast, text: str, *, private: bool = False) -> Discussion:
    repo = cast.repo(private=private)
    return discussions.open_discussion(repo=repo, title="Why?", text=text, by=signed_in(cast.ada))


def seen_by(attachment: Attachment, users: Mapping[str, User | None]) -> set[str]:
    address = address_of(attachment)
    answers = {name: caller(user).get(address) for name, user in users.items()}
    assert all(content(answer) for answer in answers.values())
    return {name for name, answer in answers.items() if answer.status_code == 200}


def everybody(cast: Cast) -> dict[str, User | None]:
    return {"ada": cast.ada, "ben": cast.ben, "cleo": cast.cleo, "nobody": None}


def test_what_no_comment_shows_is_its_uploaders_alone(cast: Cast) -> None:
    one = uploaded(cast.ada)

    assert seen_by(one, everybody(cast)) == {"ada"}
    for address in ("/uploads/" + "0" * 32 + ".png", f"/uploads/{one.key}.gif", "/uploads/x"):
        assert caller(cast.ada).get(address).status_code == 404


def test_access_follows_that_of_the_repo(cast: Cast) -> None:
    one = uploaded(cast.ada)
    made = talk(cast, f"![x](http://testserver{address_of(one)})")
    assert seen_by(one, everybody(cast)) == {"ada", "ben", "cleo", "nobody"}

    settings = RepoSettings(visibility="private")
    repos.change_settings(repo=made.repo, settings=settings, by=signed_in(cast.ada))

    assert seen_by(one, everybody(cast)) == {"ada"}


def test_nobody_publishes_what_another_uploaded(cast: Cast) -> None:
    one = uploaded(cast.ada)
    talk(cast, f"![x]({address_of(one)})", private=True)
    public = cast.repo("cleo/open")

    discussions.open_discussion(
        repo=public, title="Look", text=f"![x]({address_of(one)})", by=signed_in(cast.cleo)
    )

    assert seen_by(one, everybody(cast)) == {"ada"}


def test_pictures_films_and_sounds_are_shown_where_they_stand(cast: Cast) -> None:
    picture, film = uploaded(cast.ada), uploaded(cast.ada, MP4, "video/mp4")
    base = "https://hub.example"
    text = f"![a]({base}{address_of(picture)})\n\n{base}{address_of(film)}\n\n{base}/uploads/x.mp4"

    html = story_of(talk(cast, text)).events[0].html

    assert f'<img src="{address_of(picture)}"' in html
    assert f'src="{address_of(film)}"' in html
    assert "<video" in html
    assert "https://hub.example/uploads/x.mp4" in html


def test_bytes_are_served_in_a_sandbox(cast: Cast) -> None:
    address = address_of(uploaded(cast.ada))

    answer = caller(cast.ada).get(address)

    assert content(answer) == PNG
    assert answer["Content-Type"] == "image/png"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("media_type", "raw"),
    [
        ("image/svg+xml", b"<svg/>"),
        ("text/html", b"<script>"),
        ("", PNG),
        ("image/png", b"<html>" + PNG),
        ("image/png", b""),
        ("image/webp", b"RIFFxxxxWAVE"),
        ("video/mp4", b"<script>alert(1)</script>"),
    ],
)
def test_nothing_else_is_taken(cast: Cast, media_type: str, raw: bytes) -> None:
    with pytest.raises(Invalid):
        uploaded(cast.ada, raw, media_type)
    assert not Attachment.objects.exists()


def test_who_may_not_comment_may_not_upload_and_a_day_has_its_bounds(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Unauthenticated):
        attachments.upload(media_type="image/png", pieces=[PNG], by=ANONYMOUS, now=timezone.now())
    monkeypatch.setattr(attachments, "MAX_A_DAY", 1)
    uploaded(cast.ada)
    with pytest.raises(Forbidden, match="enough"):
        uploaded(cast.ada)
    uploaded(cast.ben)


def test_too_large_a_body_is_refused(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "MAX_BYTES", 50)

    answer = caller(cast.ada).post("/uploads", PNG, content_type="image/png")

    assert answer.status_code == 413
    assert Client().post("/uploads", PNG, content_type="image/png").status_code == 401


def test_what_no_comment_shows_any_more_is_collected_with_its_bytes(cast: Cast) -> None:
    shown, hidden, never = (uploaded(cast.ada, PNG + bytes([n])) for n in range(3))
    made = talk(cast, f"{address_of(shown)}\n{address_of(hidden)}")
    comments.comment(discussion=made, text=address_of(shown), by=signed_in(cast.ada))
    comments.hide(comment=story_of(made).events[0], by=signed_in(cast.ada))
    now = timezone.now()

    collect.collect_bytes_of_nobody(now=now + timedelta(hours=1))
    assert Attachment.objects.count() == 3
    # A week later they are condemned, a day after that they go.
    for days in (8, 10):
        collect.collect_bytes_of_nobody(now=now + timedelta(days=days))

    assert set(Attachment.objects.values_list("key", flat=True)) == {shown.key}
    assert {bytes(one.sha256) for one in Blob.objects.all()} == {bytes(shown.blob_id)}
    assert caller(cast.ada).get(address_of(never)).status_code == 404
    assert content(caller(cast.ben).get(address_of(shown))) == PNG + b"\x00"


def test_an_edit_shows_more_and_takes_nothing_back(cast: Cast) -> None:
    one, other = uploaded(cast.ada), uploaded(cast.ada)
    made = talk(cast, address_of(one))
    comment = story_of(made).events[0]

    comments.edit(comment=comment, text=address_of(other), by=signed_in(cast.ada))

    assert AttachmentUse.objects.filter(comment=comment).count() == 2
    repos.delete(repo=made.repo, by=signed_in(cast.ada))
    assert not AttachmentUse.objects.exists()
