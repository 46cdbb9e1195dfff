"""REST: what the caller is notified of."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hub.models import Notification
from hub.queries.notifications import notifications_of
from hub.rest.of_repo import sent
from hub.services.notifications import mark_read
from teams.http.pagination import flag, limit_of
from teams.http.rest import RestView, described
from teams.roles import Action

PAGE = 30
MOST = 100


class OneNotification(serializers.Serializer[Notification]):
    """News of one discussion, promotion or webhook."""

    id = serializers.IntegerField(source="pk")
    repo = serializers.SerializerMethodField(help_text="Null for news of a webhook.")
    discussion = serializers.SerializerMethodField(help_text="Its number, null if it is of none.")
    promotion = serializers.IntegerField(source="promotion_id", allow_null=True)
    webhook = serializers.SerializerMethodField(help_text="Its id, null if it is of none.")
    reason = serializers.ChoiceField(choices=[one.value for one in Notification.Reason])
    event = serializers.CharField(source="told")
    actor = serializers.CharField()
    count = serializers.IntegerField(help_text="News since you last looked.")
    updated_at = serializers.DateTimeField()
    read_at = serializers.DateTimeField(allow_null=True)

    def get_repo(self, one: Notification) -> dict[str, str] | None:
        if one.repo is None:
            return None
        return {"type": one.repo.kind, "name": one.repo.full_name}

    def get_discussion(self, one: Notification) -> int | None:
        return one.discussion.num if one.discussion else None

    def get_webhook(self, one: Notification) -> str | None:
        return one.webhook.public_id if one.webhook else None


class NotificationPage(serializers.Serializer[dict[str, Any]]):
    """Newest first."""

    next_cursor = serializers.CharField(allow_null=True)
    results = OneNotification(many=True)


class ReadBody(serializers.Serializer[dict[str, Any]]):
    """Which to take as read."""

    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        allow_null=True,
        default=None,
        max_length=1000,
        help_text="All of them if it is not given.",
    )


class ReadAnswer(serializers.Serializer[dict[str, Any]]):
    """What came of it."""

    read = serializers.IntegerField(help_text="How many were unread.")


class Notifications(RestView):
    """GET and POST /api/v1/notifications."""

    authz = {"get": Action.SIGN_IN, "post": Action.SIGN_IN_TO_WRITE}

    @described(
        operation_id="list_notifications",
        summary="What you are notified of",
        parameters=[
            OpenApiParameter("all", bool, description="Those that you have read, too"),
            OpenApiParameter("limit", int, description=f"At most {MOST}; {PAGE} if not given"),
            OpenApiParameter("cursor", str, description="next_cursor of the page before"),
        ],
        responses={200: NotificationPage},
    )
    def get(self, request: Request) -> Response:
        page = notifications_of(
            self.principal,
            unread_only=not flag(self.http_request, "all"),
            cursor=request.query_params.get("cursor", ""),
            limit=limit_of(self.http_request, default=PAGE, most=MOST),
        )
        told = {"next_cursor": page.next_cursor or None, "results": page.notifications}
        return Response(NotificationPage(told).data)

    @described(
        operation_id="read_notifications",
        summary="Take notifications as read",
        request=ReadBody,
        responses={200: ReadAnswer},
    )
    def post(self, request: Request) -> Response:
        read = mark_read(by=self.principal, numbers=sent(request, ReadBody)["ids"])
        return Response(ReadAnswer({"read": read}).data)
