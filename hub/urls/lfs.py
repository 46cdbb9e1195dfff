"""Wire routes of large files: Git LFS, its signed links, and the list of a repo's large files."""

from django.urls import URLPattern, URLResolver, path

from hub.urls.converters import API, of_every_kind
from hub.wire import large_files, lfs, lfs_transfer

LFS = "<git:name>/info/lfs"

of_a_repo: list[URLPattern | URLResolver] = [
    path(f"{LFS}/objects/batch", lfs.Batch.as_view()),
    path(f"{LFS}/objects/verify", lfs.Verify.as_view()),
    path(f"{LFS}/locks", lfs.Locks.as_view()),
    path(f"{LFS}/locks/verify", lfs.VerifyLocks.as_view()),
]

urlpatterns = [
    path("api/lfs/upload", lfs_transfer.Transfer.as_view()),
    path("api/lfs/part", lfs_transfer.Part.as_view()),
    path("api/lfs/verify", lfs_transfer.Sent.as_view()),
    path("api/lfs/download", lfs_transfer.Download.as_view()),
    path(f"{API}/lfs-files", large_files.LargeFiles.as_view()),
    path(f"{API}/lfs-files/batch", large_files.DeleteLargeFiles.as_view()),
    path(f"{API}/lfs-files/duplicate", large_files.DuplicateLargeFiles.as_view()),
    *of_every_kind(of_a_repo),
]
