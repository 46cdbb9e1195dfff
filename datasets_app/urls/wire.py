"""Wire routes of datasets_app."""

from django.urls import URLPattern, path

from datasets_app.wire import assets, croissant, exported, facts, finding, sql, stream, viewer
from hub.names import RepoKind

VIEWER = "api/datasets-server/"
API = "api/datasets/<repo:name>"
CELL = "<int:snapshot>/<text:config>/<text:split>/<int:row>/<text:column>"
OF_DATASETS = {"kind": RepoKind.DATASET}

viewer_routes: list[URLPattern] = [
    path("is-valid", viewer.IsValid.as_view()),
    path("splits", viewer.Splits.as_view()),
    path("first-rows", viewer.FirstRows.as_view()),
    path("rows", viewer.Rows.as_view()),
    path("filter", finding.Filter.as_view()),
    path("search", finding.Search.as_view()),
    path("statistics", finding.Statistics.as_view()),
    path("parquet", facts.Parquet.as_view()),
    path("size", facts.Size.as_view()),
    path("info", facts.Info.as_view()),
    path("compatible-libraries", facts.CompatibleLibraries.as_view()),
    path("hub-cache", facts.HubCache.as_view()),
    path("opt-in-out-urls", facts.OptInOutUrls.as_view()),
    path("presidio-entities", facts.PresidioEntities.as_view()),
    path("croissant", croissant.CroissantOfDataset.as_view()),
    path("croissant-crumbs", croissant.CroissantCrumbs.as_view()),
]
SPLIT = "<text:config>/<text:split>"

urlpatterns = [
    *(path(f"{VIEWER}{route.pattern}", route.callback) for route in viewer_routes),
    path(f"{API}/croissant", croissant.Croissant.as_view(), OF_DATASETS),
    path(f"{API}/parquet", exported.Exported.as_view(), OF_DATASETS),
    path(f"{API}/parquet/<text:config>", exported.ExportedConfig.as_view(), OF_DATASETS),
    path(f"{API}/parquet/{SPLIT}", exported.ExportedSplit.as_view(), OF_DATASETS),
    path(f"{API}/parquet/{SPLIT}/<text:file>", exported.ExportedFile.as_view(), OF_DATASETS),
    path(f"{API}/arrow/{SPLIT}", stream.Arrow.as_view()),
    path(f"{API}/arrow-plan/{SPLIT}", stream.ArrowPlan.as_view()),
    path(f"{API}/sql", sql.Sql.as_view()),
    path(f"datasets/<repo:name>/cells/{CELL}", assets.Cell.as_view(), OF_DATASETS),
    path(
        f"datasets/<repo:name>/assets/{CELL}/<text:steps>/<text:file>",
        assets.Asset.as_view(),
        OF_DATASETS,
    ),
]
