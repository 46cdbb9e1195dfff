"""Wire routes of git's smart HTTP: the address of a remote, with or without ``.git``."""

from django.urls import URLPattern, URLResolver, path

from hub.urls.converters import of_every_kind
from hub.wire import git, git_push

of_a_repo: list[URLPattern | URLResolver] = [
    path("<git:name>/info/refs", git.InfoRefs.as_view()),
    path("<git:name>/git-upload-pack", git.UploadPack.as_view()),
    path("<git:name>/git-receive-pack", git_push.ReceivePack.as_view()),
]

urlpatterns = of_every_kind(of_a_repo)
