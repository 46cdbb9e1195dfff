"""Wire routes of Xet: tokens, the CAS with the aliases of all client releases, signed bytes.

Releases of hf_xet before 1.3 leave the version out, those before 1.1.10 also write the singular and
put the hash of a shard behind its route.
"""

from django.urls import path, re_path

from hub.urls.converters import API
from hub.wire import cas, xet

CAS = r"^xet/(?P<cas>\d{1,18}\.\d{1,9})/"
STORE = r"default(?:-merkledb)?/"

urlpatterns = [
    path(f"{API}/xet-read-token/<text:revision>", xet.XetToken.as_view()),
    path(f"{API}/xet-write-token/<text:revision>", xet.XetWriteToken.as_view()),
    path("v1/telemetry", xet.Telemetry.as_view()),
    path("xet/data", xet.Data.as_view()),
    re_path(rf"{CAS}(?:v1/)?xorbs?/{STORE}(?P<xorb>[^/]+)$", cas.Xorb.as_view()),
    re_path(rf"{CAS}(?:v1/)?chunks?/{STORE}(?P<chunk>[^/]+)$", cas.Chunk.as_view()),
    re_path(rf"{CAS}v1/xorb-grants/{STORE}(?P<xorb>[^/]+)$", cas.Grant.as_view()),
    re_path(
        rf"{CAS}v1/xorb-commits/{STORE}(?P<xorb>[^/]+)/grant/(?P<grant>[^/]+)$",
        cas.Granted.as_view(),
    ),
    re_path(rf"{CAS}(?:v1/)?files?/(?P<file>[^/]+)$", cas.File.as_view()),
    re_path(rf"{CAS}v2/shards?$", cas.ShardWithProgress.as_view()),
    re_path(rf"{CAS}(?:v1/)?shards?(?:/{STORE}[^/]+)?$", cas.Shard.as_view()),
    re_path(
        rf"{CAS}(?:(?P<version>v[12])/)?reconstructions?/(?P<file>[^/]+)$",
        cas.Reconstruction.as_view(),
    ),
    re_path(rf"{CAS}(?:v\d/)?telemetry$", xet.Telemetry.as_view()),
    re_path(rf"{CAS}(?P<rest>.*)$", cas.NoSuchCasRoute.as_view()),
]
