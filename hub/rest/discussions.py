"""REST: discussions and pull requests."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hub.models import Discussion, DiscussionEvent
from hub.models.discussion import MAX_TITLE
from hub.names import RevisionName
from hub.policies import can
from hub.queries.discussions import (
    STATUSES,
    TYPES,
    DiscussionFilter,
    discussion_of,
    events_of,
    page_of,
)
from hub.queries.pull_requests import compare
from hub.rest.of_repo import OfRepoRest, name_of, sent
from hub.services import comments, discussions, pull_requests
from hub.services.comment_text import MAX_COMMENT
from teams.errors import Invalid
from teams.http.pagination import limit_of
from teams.http.rest import described
from teams.roles import Action

PAGE = 30
MOST = 100
_MAX_START = 10**7


class DiscussionShown(serializers.Serializer[Discussion]):
    """A discussion or pull request."""

    number = serializers.IntegerField(source="num")
    title = serializers.CharField()
    status = serializers.ChoiceField(choices=[status.value for status in Discussion.Status])
    is_pull_request = serializers.BooleanField()
    author = serializers.SerializerMethodField()
    url = serializers.CharField(help_text="Path of its page.")
    comments = serializers.IntegerField(source="n_comments")
    target = serializers.CharField(help_text="The ref that a pull request is to change.")
    ref = serializers.SerializerMethodField(help_text="The ref of a pull request.")
    merge_commit = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    def get_author(self, discussion: Discussion) -> str | None:
        return name_of(discussion.author)

    def get_ref(self, discussion: Discussion) -> str | None:
        return discussion.ref if discussion.is_pull_request else None

    def get_merge_commit(self, discussion: Discussion) -> str | None:
        return bytes(discussion.merge_commit).hex() if discussion.merge_commit else None


class EventShown(serializers.Serializer[DiscussionEvent]):
    """Something that happened in a discussion."""

    id = serializers.CharField(source="public_id")
    kind = serializers.ChoiceField(choices=[kind.value for kind in DiscussionEvent.Kind])
    author = serializers.SerializerMethodField()
    text = serializers.CharField(help_text="The Markdown of a comment.")
    html = serializers.CharField(help_text="The same as safe HTML.")
    is_hidden = serializers.BooleanField()
    details = serializers.JSONField()
    created_at = serializers.DateTimeField()
    edited_at = serializers.DateTimeField(allow_null=True)

    def get_author(self, event: DiscussionEvent) -> str | None:
        return name_of(event.author)


class DiscussionList(serializers.Serializer[dict[str, Any]]):
    """A page of discussions, newest first."""

    count = serializers.IntegerField()
    next_start = serializers.IntegerField(allow_null=True)
    results = DiscussionShown(many=True)


class DiscussionWhole(serializers.Serializer[dict[str, Any]]):
    """A discussion with what happened in it."""

    discussion = DiscussionShown()
    events = EventShown(many=True)
    is_mergeable = serializers.BooleanField(allow_null=True)
    conflicts = serializers.ListField(child=serializers.CharField(), allow_null=True)


class NewDiscussion(serializers.Serializer[dict[str, Any]]):
    """What is to be talked about."""

    title = serializers.CharField(max_length=MAX_TITLE)
    text = serializers.CharField(max_length=MAX_COMMENT, default="", allow_blank=True)
    is_pull_request = serializers.BooleanField(default=False)
    target = serializers.CharField(
        default="", allow_blank=True, help_text="A branch; the default one if not given."
    )


class DiscussionChange(serializers.Serializer[dict[str, Any]]):
    """Another title, another status, or both."""

    title = serializers.CharField(max_length=MAX_TITLE, required=False)
    status = serializers.ChoiceField(choices=["open", "closed"], required=False)


class NewComment(serializers.Serializer[dict[str, Any]]):
    """What somebody says."""

    text = serializers.CharField(max_length=MAX_COMMENT)


class MergeWish(serializers.Serializer[dict[str, Any]]):
    """How a pull request is to be merged."""

    text = serializers.CharField(max_length=MAX_COMMENT, default="", allow_blank=True)
    head = serializers.CharField(
        max_length=40, default="", allow_blank=True, help_text="The commit that you looked at."
    )


class Discussions(OfRepoRest):
    """GET and POST /api/v1/repos/{kind}s/{name}/discussions."""

    authz = {"get": Action.REPO_SEE, "post": Action.REPO_DISCUSS}

    @described(
        operation_id="list_discussions",
        summary="Discussions and pull requests of a repo",
        parameters=[
            OpenApiParameter("type", str, enum=list(TYPES)),
            OpenApiParameter("status", str, enum=list(STATUSES)),
            OpenApiParameter("author", str),
            OpenApiParameter("start", int, description="next_start of the page before"),
            OpenApiParameter("limit", int, description=f"At most {MOST}; {PAGE} if not given"),
        ],
        responses={200: DiscussionList},
    )
    def get(self, request: Request, **_: object) -> Response:
        query = request.query_params
        wanted = DiscussionFilter(
            query.get("type", "all"), query.get("status", "all"), query.get("author", "")
        )
        limit = limit_of(self.http_request, default=PAGE, most=MOST)
        page = page_of(self.repo, wanted, start=_start(query.get("start", "0")), limit=limit)
        next_start = page.end if page.end < page.count and page.discussions else None
        told = {"count": page.count, "next_start": next_start, "results": page.discussions}
        return Response(DiscussionList(told).data)

    @described(
        operation_id="open_discussion",
        summary="Begin a discussion, or a pull request as a draft",
        request=NewDiscussion,
        responses={201: DiscussionShown},
    )
    def post(self, request: Request, **_: object) -> Response:
        wish = sent(request, NewDiscussion)
        title, text, target = wish["title"], wish["text"], wish["target"]
        if wish["is_pull_request"]:
            branch = RevisionName.parse(target) if target else None
            made = pull_requests.open_pull_request(
                repo=self.repo, title=title, text=text, by=self.principal, branch=branch
            )
        else:
            made = discussions.open_discussion(
                repo=self.repo, title=title, text=text, by=self.principal
            )
        return Response(DiscussionShown(discussion_of(self.repo, made.num)).data, status=201)


def _start(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > _MAX_START:
        raise Invalid("start must be a number.")
    return int(text)


class OfDiscussionRest(OfRepoRest):
    """What views of one discussion share."""

    discussion: Discussion

    def check(self, action: Action) -> None:
        super().check(action)
        self.discussion = discussion_of(self.repo, self.kwargs["number"])

    def whole(self, status: int = 200) -> Response:
        found = discussion_of(self.repo, self.discussion.num)
        told = {"discussion": found, "events": events_of(found), **self._merging(found)}
        return Response(DiscussionWhole(told).data, status=status)

    def _merging(self, found: Discussion) -> dict[str, Any]:
        """What only those hear who may read files."""
        if not (found.is_pull_request and can(self.principal, Action.REPO_READ, self.repo)):
            return {"is_mergeable": None, "conflicts": None}
        compared = compare(found)
        return {"is_mergeable": compared.is_mergeable, "conflicts": compared.conflicts}


class OneDiscussion(OfDiscussionRest):
    """GET and PATCH /api/v1/repos/{kind}s/{name}/discussions/{number}."""

    authz = {"get": Action.REPO_SEE, "patch": Action.REPO_DISCUSS}

    @described(
        operation_id="get_discussion",
        summary="A discussion with what happened in it",
        responses={200: DiscussionWhole, 404: OpenApiResponse(description="No such number.")},
    )
    def get(self, _request: Request, **_: object) -> Response:
        return self.whole()

    @described(
        operation_id="change_discussion",
        summary="Change title or status",
        request=DiscussionChange,
        responses={200: DiscussionWhole, 409: OpenApiResponse(description="It is over.")},
    )
    def patch(self, request: Request, **_: object) -> Response:
        wish = sent(request, DiscussionChange)
        if "title" in wish:
            discussions.rename(discussion=self.discussion, title=wish["title"], by=self.principal)
        if "status" in wish:
            discussions.change_status(
                discussion=self.discussion, status=wish["status"], by=self.principal
            )
        return self.whole()


class Comments(OfDiscussionRest):
    """POST /api/v1/repos/{kind}s/{name}/discussions/{number}/comments."""

    authz = {"post": Action.REPO_DISCUSS}

    @described(
        operation_id="comment_discussion",
        summary="Say something in a discussion",
        request=NewComment,
        responses={201: EventShown},
    )
    def post(self, request: Request, **_: object) -> Response:
        text = sent(request, NewComment)["text"]
        made = comments.comment(discussion=self.discussion, text=text, by=self.principal)
        return Response(EventShown(made).data, status=201)


class Merge(OfDiscussionRest):
    """POST /api/v1/repos/{kind}s/{name}/discussions/{number}/merge."""

    authz = {"post": Action.REPO_WRITE}

    @described(
        operation_id="merge_pull_request",
        summary="Merge a pull request into its target",
        request=MergeWish,
        responses={
            200: DiscussionWhole,
            409: OpenApiResponse(description="A draft, over, or in conflict: see conflicts."),
            412: OpenApiResponse(description="It changed since you looked at head."),
        },
    )
    def post(self, request: Request, **_: object) -> Response:
        wish = sent(request, MergeWish)
        pull_requests.merge_pull_request(
            discussion=self.discussion, by=self.principal, text=wish["text"], head=wish["head"]
        )
        return self.whole()
