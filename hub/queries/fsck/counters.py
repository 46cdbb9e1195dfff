"""Counters that stand beside what they count."""

from collections.abc import Iterator

from hub.models import Repo, sql

EXACT = {
    "likes": "SELECT count(*) FROM hub_like WHERE repo_id = %(repo)s",
    "git_bytes": (
        "SELECT coalesce(sum(octet_length(data)), 0) FROM git_object WHERE repo_id = %(repo)s"
    ),
}
"""Column of ``hub_repo`` -> what it must be at any moment."""

# These are recounted now and then, so they may lag behind; they can never be ahead.
_DOWNLOADS = """
SELECT r.downloads, r.downloads_all_time, coalesce(sum(d.count), 0)
FROM hub_repo r LEFT JOIN hub_downloadday d ON d.repo_id = r.id
WHERE r.id = %(repo)s GROUP BY r.id
"""


def counter_faults(repo: Repo) -> Iterator[str]:
    """What the repo's row counts equals what there is."""
    for column, query in EXACT.items():
        row = sql.row(
            f"SELECT {column}, ({query}) FROM hub_repo WHERE id = %(repo)s", {"repo": repo.pk}
        )
        if row is not None and row[0] != row[1]:
            yield f"{column} says {row[0]}, counted are {row[1]}"


def download_faults(repo: Repo) -> Iterator[str]:
    """No more downloads are shown than happened."""
    for recent, ever, counted in sql.rows(_DOWNLOADS, {"repo": repo.pk}):
        if max(recent, ever) > counted:
            yield f"downloads say {recent} and {ever}, counted are {counted}"
