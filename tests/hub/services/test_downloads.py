from datetime import timedelta
from math import log

import pytest
from django.utils import timezone

from hub.models import DownloadDay, Like, Repo
from hub.services import downloads
from tests.factories.hub import make_repo, make_user

pytestmark = pytest.mark.django_db


def downloaded(repo: Repo, ago: int, count: int) -> None:
    day = timezone.now().date() - timedelta(days=ago)
    DownloadDay.objects.create(repo=repo, day=day, count=count)


def test_downloads_of_one_day_are_one_row() -> None:
    repo = make_repo()

    for _ in range(3):
        downloads.count(repo)

    assert [(row.day, row.count) for row in repo.download_days.all()] == [
        (timezone.now().date(), 3)
    ]


def test_a_recount_tells_the_last_30_days_from_all_time() -> None:
    repo = make_repo()
    for ago, count in ((0, 1), (29, 10), (30, 100), (400, 1000)):
        downloaded(repo, ago, count)

    downloads.recount()

    repo.refresh_from_db()
    assert (repo.downloads, repo.downloads_all_time) == (11, 1111)


def test_trending_is_decayed_likes_and_the_logarithm_of_decayed_downloads() -> None:
    repo = make_repo()
    downloaded(repo, 0, 100)
    downloaded(repo, 2, 100)
    downloaded(repo, 7, 10**6)
    Like.objects.create(user=make_user(), repo=repo)

    downloads.recount()

    repo.refresh_from_db()
    assert repo.trending == pytest.approx(1 + log(1 + 100 + 50), abs=1e-5)


def test_counts_sink_when_downloads_grow_old_and_quiet_repos_are_left_alone() -> None:
    quiet, old = make_repo(), make_repo(downloads=50, downloads_all_time=50, trending=4.0)
    downloaded(old, 60, 50)

    assert downloads.recount() == 1
    assert downloads.recount() == 0

    old.refresh_from_db()
    assert (old.downloads, old.downloads_all_time, old.trending) == (0, 50, 0)
    assert quiet.downloads == 0


def test_a_download_of_a_deleted_repo_counts_nowhere() -> None:
    repo = make_repo()
    Repo.objects.filter(pk=repo.pk).delete()

    downloads.count(repo)

    assert not DownloadDay.objects.exists()
