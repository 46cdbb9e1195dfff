"""Wire routes of hub."""

from django.urls import URLPattern, URLResolver, path

from hub.names import RepoKind
from hub.urls.converters import API, of_every_kind
from hub.wire import access, commits, files, info, likes, lists, misc, oauth, refs, repos

files_of_a_kind: list[URLPattern | URLResolver] = [
    path("<repo:name>/resolve/<text:revision>/<rest:path>", files.Resolve.as_view()),
    path("<repo:name>/raw/<text:revision>/<rest:path>", files.Raw.as_view()),
]

lists_of_repos: list[URLPattern | URLResolver] = [
    path("api/<kind:kind>", lists.ListRepos.as_view()),
    path("api/models-tags-by-type", lists.TagsByType.as_view(), {"kind": RepoKind.MODEL}),
    path("api/datasets-tags-by-type", lists.TagsByType.as_view(), {"kind": RepoKind.DATASET}),
    path("api/spaces/semantic-search", lists.SearchSpaces.as_view()),
]

urlpatterns = [
    *lists_of_repos,
    path("oauth/token", oauth.Token.as_view()),
    path("api/repos/create", repos.Create.as_view()),
    path("api/repos/delete", repos.Delete.as_view()),
    path("api/repos/move", repos.Move.as_view()),
    path("api/settings/repositories", repos.Mine.as_view()),
    path("api/organizations/<text:owner>/settings/repositories", repos.OfOrganisation.as_view()),
    path("api/validate-yaml", misc.ValidateYaml.as_view()),
    path("api/agent-harnesses", misc.AgentHarnesses.as_view()),
    path("api/telemetry/<rest:topic>", misc.Telemetry.as_view()),
    path("api/users/<text:user>/likes", likes.LikesOfUser.as_view()),
    path(f"{API}/settings", repos.Settings.as_view()),
    path(f"{API}/duplicate", repos.Duplicate.as_view()),
    path(f"{API}/auth-check", repos.AuthCheck.as_view()),
    path(f"{API}/auth-check/write", repos.AuthCheckWrite.as_view()),
    path(f"{API}/ask-access", access.Ask.as_view()),
    path(f"{API}/user-access-request/handle", access.Handle.as_view()),
    path(f"{API}/user-access-request/grant", access.Grant.as_view()),
    path(f"{API}/user-access-request/<text:status>", access.Requests.as_view()),
    path(f"{API}/like", likes.LikeOne.as_view()),
    path(f"{API}/likers", likes.Likers.as_view()),
    path(f"{API}/refs", refs.Refs.as_view()),
    path(f"{API}/branch/<text:branch>", refs.Branch.as_view()),
    path(f"{API}/tag/<text:tag>", refs.Tag.as_view()),
    path(f"{API}/super-squash/<text:branch>", refs.SuperSquash.as_view()),
    path(f"{API}/preupload/<text:revision>", commits.Preupload.as_view()),
    path(f"{API}/commit/<text:revision>", commits.Commit.as_view()),
    path(f"{API}/commits/<text:revision>", commits.Log.as_view()),
    path(f"{API}/compare/<rest:span>", commits.Compare.as_view()),
    path(f"{API}/tree/<text:revision>", files.Tree.as_view()),
    path(f"{API}/tree/<text:revision>/<rest:path>", files.Tree.as_view()),
    path(f"{API}/paths-info/<text:revision>", files.PathsInfo.as_view()),
    path(f"{API}/resolve/<text:revision>/<rest:path>", files.Resolve.as_view()),
    path(
        "api/models/<repo:name>/safetensors-metadata/<rest:path>",
        files.Safetensors.as_view(),
        {"kind": RepoKind.MODEL},
    ),
    path(f"{API}/revision/<text:revision>", info.Info.as_view()),
    path(API, info.Info.as_view()),
    *of_every_kind(files_of_a_kind),
]
