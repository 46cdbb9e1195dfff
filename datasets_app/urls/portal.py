"""HTML routes of datasets_app."""

from django.urls import path

from datasets_app.portal import sql, viewer
from hub.names import RepoKind

REPO = "datasets/<repo:name>"
SPLIT = "<text:config>/<text:split>"
OF_DATASETS = {"kind": RepoKind.DATASET}

urlpatterns = [
    path(f"{REPO}/viewer", viewer.Viewer.as_view(), OF_DATASETS),
    path(f"{REPO}/viewer/{SPLIT}", viewer.Viewer.as_view(), OF_DATASETS),
    path(f"{REPO}/viewer/{SPLIT}/statistics", viewer.StatisticsPage.as_view(), OF_DATASETS),
    path(f"{REPO}/sql", sql.SqlConsole.as_view(), OF_DATASETS),
    path(f"{REPO}/row-changes", sql.RowChanges.as_view(), OF_DATASETS),
]
