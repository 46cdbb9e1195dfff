"""What somebody is about to say, made ready before anything is locked.

Rendering what is meant to be slow takes seconds: nobody's commit is to wait for that.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from django.db.models.functions import Lower

from hub.cards.markdown import Rendered, render
from hub.cards.references import commits_in, names_in, numbers_in
from hub.models import Discussion, Repo, sql
from hub.queries.attachments import ADDRESS, PLACE, existing, keys_in
from hub.services.discussion_log import checked_text
from teams.models import Namespace, User

MAX_COMMENT = 65_536
"""Characters of one comment."""
FILMS, SOUNDS = (".mp4", ".mov", ".webm"), (".mp3", ".wav")


@dataclass(frozen=True, slots=True)
class Said:
    """A comment that was checked and rendered, and whom it mentions."""

    text: str
    html: str
    mentioned: tuple[int, ...]


def prepared(repo: Repo, text: str) -> Said:
    """Check and render what is to be said about ``repo``.

    Raises:
        Invalid: it is empty or too long.
    """
    said = checked_text(text, "comment", MAX_COMMENT)
    made = rendered(repo, _with_films(said))
    return Said(said, made.html, tuple(_users(names_in(made.words))))


def prepared_if_any(repo: Repo, text: str) -> Said | None:
    """The same of what somebody may say or not.

    Raises:
        Invalid: it is too long.
    """
    return prepared(repo, text) if text.strip() else None


# Whole addresses of ours become paths: pages show media of nobody else.
_OURS = re.compile(rf"https?://[^\s/\"'()<>]+({ADDRESS})\b", re.ASCII)
_ALONE = re.compile(rf"^({ADDRESS})$", re.ASCII | re.MULTILINE)


def _with_films(text: str) -> str:
    """The same with the addresses of attachments as paths; one on its own line is shown there."""
    there = existing(keys_in(text)) if PLACE in text else set()
    if not there:
        return text
    paths = _OURS.sub(lambda found: found[1] if found[1] in there else found[0], text)
    return _ALONE.sub(lambda found: _shown(found[1]) if found[1] in there else found[0], paths)


def _shown(address: str) -> str:
    kind = "video" if address.endswith(FILMS) else "audio" if address.endswith(SOUNDS) else ""
    return f'<{kind} controls src="{address}"></{kind}>' if kind else f"![]({address})"


def rendered(repo: Repo, text: str) -> Rendered:
    """Relative addresses lead to files of the default branch, references to what they name."""
    branch = quote(repo.default_branch, safe="")
    return render(
        text,
        link=lambda path: f"{repo.url}/blob/{branch}/{quote(path)}",
        image=lambda path: f"{repo.url}/resolve/{branch}/{quote(path)}",
        refer=lambda words: _addresses(repo, words),
    )


def _addresses(repo: Repo, words: Sequence[str]) -> Mapping[str, str]:
    names = _names(names_in(words))
    numbers = _numbers(repo, numbers_in(words))
    commits = _commits(repo, commits_in(words))
    found = {word: f"/{names[word[1:].lower()]}" for word in words if word[1:].lower() in names}
    found |= {f"#{number}": f"{repo.url}/discussions/{number}" for number in numbers}
    return found | {word: f"{repo.url}/commit/{oid}" for word, oid in commits.items()}


def _names(lower: Iterable[str]) -> dict[str, str]:
    alive = Namespace.objects.exclude(kind=Namespace.Kind.RETIRED)
    found = alive.alias(lower=Lower("name")).filter(lower__in=list(lower))
    return {name.lower(): name for name in found.values_list("name", flat=True)}


def _numbers(repo: Repo, numbers: Sequence[int]) -> Iterable[int]:
    if not numbers:
        return ()
    return Discussion.objects.filter(repo=repo, num__in=numbers).values_list("num", flat=True)


# A prefix that two commits share is no name of either.
_COMMITS = """
SELECT w.word, min(encode(c.oid, 'hex'))
FROM unnest(%(words)s::text[], %(low)s::bytea[], %(high)s::bytea[]) AS w (word, low, high)
JOIN git_commit c ON c.repo_id = %(repo)s AND c.oid BETWEEN w.low AND w.high
GROUP BY w.word HAVING count(*) = 1
"""


def _commits(repo: Repo, words: Sequence[str]) -> dict[str, str]:
    if not words:
        return {}
    values = {
        "repo": repo.pk,
        "words": list(words),
        "low": [bytes.fromhex(word.ljust(40, "0")) for word in words],
        "high": [bytes.fromhex(word.ljust(40, "f")) for word in words],
    }
    return dict(sql.rows(_COMMITS, values))


def _users(lower: Sequence[str]) -> Iterable[int]:
    if not lower:
        return ()
    users = User.objects.alias(lower=Lower("namespace__name")).filter(lower__in=lower)
    return [user.pk for user in users if user.is_active]
