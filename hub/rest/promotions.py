"""REST: promotions of tags, and approvals of pull requests."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hub.models import Promotion
from hub.names import RevisionName
from hub.queries.discussions import discussion_of
from hub.queries.protection import approvals_of, promotion_of, promotions_of
from hub.rest.of_repo import OfRepoRest, name_of, sent
from hub.services import approvals, promotions
from teams.http.pagination import limit_of
from teams.http.rest import described
from teams.names import number_in
from teams.roles import Action

PAGE = 30
MOST = 100


class PromotionBody(serializers.Serializer[dict[str, Any]]):
    """Which tag is to name which commit."""

    tag = serializers.CharField(max_length=255)
    revision = serializers.CharField(max_length=255, help_text="A branch, a tag or a commit id.")
    note = serializers.CharField(max_length=1000, default="", allow_blank=True)


class OnePromotion(serializers.Serializer[Promotion]):
    """A promotion, and what became of it."""

    id = serializers.IntegerField(source="pk")
    tag = serializers.CharField()
    old = serializers.SerializerMethodField(help_text="The commit before, null if there is none.")
    new = serializers.SerializerMethodField()
    note = serializers.CharField()
    status = serializers.ChoiceField(choices=[one.value for one in Promotion.Status])
    asked_by = serializers.SerializerMethodField()
    asked_at = serializers.DateTimeField()
    approved_by = serializers.SerializerMethodField()
    decided_by = serializers.SerializerMethodField()
    decided_at = serializers.DateTimeField(allow_null=True)

    def get_old(self, promotion: Promotion) -> str | None:
        return bytes(promotion.old).hex() if promotion.old is not None else None

    def get_new(self, promotion: Promotion) -> str:
        return bytes(promotion.new).hex()

    def get_asked_by(self, promotion: Promotion) -> str | None:
        return name_of(promotion.asked_by)

    def get_approved_by(self, promotion: Promotion) -> list[str]:
        return sorted(user.name for user in promotion.approvers.all())

    def get_decided_by(self, promotion: Promotion) -> str | None:
        return name_of(promotion.decided_by)


class Promotions(OfRepoRest):
    """GET and POST /api/v1/repos/{kind}s/{name}/promotions."""

    authz = {"get": Action.REPO_SEE, "post": Action.REPO_WRITE}

    @described(
        operation_id="list_promotions",
        summary="The promotions of a repo, newest first",
        parameters=[
            OpenApiParameter("tag", str),
            OpenApiParameter("before", int, description="The id of the last one you have"),
            OpenApiParameter("limit", int, description=f"At most {MOST}; {PAGE} if not given"),
        ],
        responses={200: OnePromotion(many=True)},
    )
    def get(self, request: Request, **_: object) -> Response:
        before = request.query_params.get("before", "")
        found = promotions_of(
            self.repo,
            tag=request.query_params.get("tag", ""),
            before=number_in(before, "before") if before else None,
            limit=limit_of(self.http_request, default=PAGE, most=MOST),
        )
        return Response([OnePromotion(one).data for one in found])

    @described(
        operation_id="ask_promotion",
        summary="Ask that a tag name a commit; done at once where no rule wants an approval",
        request=PromotionBody,
        responses={201: OnePromotion, 403: OpenApiResponse(description="A rule forbids it.")},
    )
    def post(self, request: Request, **_: object) -> Response:
        values = sent(request, PromotionBody)
        made = promotions.ask(
            repo=self.repo,
            tag=RevisionName.parse(values["tag"]),
            target=self.commit(values["revision"]),
            note=values["note"],
            by=self.principal,
        )
        return Response(OnePromotion(made).data, status=201)


class Approve(OfRepoRest):
    """POST /api/v1/repos/{kind}s/{name}/promotions/{id}/approve."""

    authz = {"post": Action.REPO_WRITE}

    @described(
        operation_id="approve_promotion",
        summary="Approve a promotion; with the last approval that it needs the tag moves",
        request=None,
        responses={200: OnePromotion, 403: OpenApiResponse(description="Not for you to approve.")},
    )
    def post(self, _request: Request, number: int, **_: object) -> Response:
        found = promotion_of(self.repo, number)
        return Response(OnePromotion(promotions.approve(promotion=found, by=self.principal)).data)


class Refuse(OfRepoRest):
    """POST /api/v1/repos/{kind}s/{name}/promotions/{id}/refuse."""

    authz = {"post": Action.REPO_WRITE}

    @described(
        operation_id="refuse_promotion",
        summary="Refuse a promotion, or take it back",
        request=None,
        responses={200: OnePromotion},
    )
    def post(self, _request: Request, number: int, **_: object) -> Response:
        found = promotion_of(self.repo, number)
        return Response(OnePromotion(promotions.refuse(promotion=found, by=self.principal)).data)


class ApprovalBody(serializers.Serializer[dict[str, Any]]):
    """Which state of a pull request was looked at."""

    head = serializers.CharField(
        max_length=40, default="", allow_blank=True, help_text="Its commit, whole or short."
    )


class OneApproval(serializers.Serializer[Any]):
    """Somebody's approval of a pull request as it is now."""

    user = serializers.CharField(source="user.name")
    created_at = serializers.DateTimeField()


class Approvals(OfRepoRest):
    """GET, POST and DELETE /api/v1/repos/{kind}s/{name}/pull-requests/{num}/approvals."""

    authz = {"get": Action.REPO_SEE, "post": Action.REPO_WRITE, "delete": Action.REPO_WRITE}

    @described(
        operation_id="list_approvals",
        summary="Who approved a pull request as it is now",
        responses={200: OneApproval(many=True)},
    )
    def get(self, _request: Request, number: int, **_: object) -> Response:
        found = approvals_of(discussion_of(self.repo, number))
        return Response(OneApproval(found, many=True).data)

    @described(
        operation_id="approve_pull_request",
        summary="Approve a pull request as it is now",
        request=ApprovalBody,
        responses={201: OneApproval(many=True)},
    )
    def post(self, request: Request, number: int, **_: object) -> Response:
        discussion, head = discussion_of(self.repo, number), sent(request, ApprovalBody)["head"]
        approvals.approve(discussion=discussion, by=self.principal, head=head)
        found = approvals_of(discussion_of(self.repo, number))
        return Response(OneApproval(found, many=True).data, status=201)

    @described(
        operation_id="withdraw_approval", summary="Take one's approval back", responses={204: None}
    )
    def delete(self, _request: Request, number: int, **_: object) -> Response:
        approvals.withdraw(discussion=discussion_of(self.repo, number), by=self.principal)
        return Response(status=204)
