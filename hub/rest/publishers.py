"""REST: which jobs of CI systems may publish to a repo."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hub.models import TrustedPublisher
from hub.queries.publishers import publishers_of
from hub.rest.of_repo import OfRepoRest, sent
from hub.services import publishers
from hub.services.publishers import IDENTIFYING
from teams.http.rest import described
from teams.roles import Action


class PublisherBody(serializers.Serializer[dict[str, Any]]):
    """Whom to trust."""

    issuer = serializers.CharField(
        help_text="Who signs the identity tokens: https://token.actions.githubusercontent.com, "
        "https://gitlab.com, or the URL of another issuer."
    )
    claims = serializers.DictField(
        child=serializers.CharField(),
        help_text=f"What a token must claim, exactly; one of {', '.join(IDENTIFYING)} among it.",
    )


class Publisher(serializers.Serializer[TrustedPublisher]):
    """A publisher that a repo trusts."""

    id = serializers.IntegerField(source="pk")
    issuer = serializers.CharField()
    claims = serializers.DictField(child=serializers.CharField())
    acts_as = serializers.CharField(source="created_by.name")
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)


class Publishers(OfRepoRest):
    """GET and POST /api/v1/repos/{kind}s/{name}/trusted-publishers."""

    authz = {"get": Action.REPO_MANAGE, "post": Action.REPO_MANAGE}

    @described(
        operation_id="list_trusted_publishers",
        summary="Which CI jobs may publish without a secret",
        responses={200: Publisher(many=True)},
    )
    def get(self, _request: Request, **_: object) -> Response:
        return Response([Publisher(one).data for one in publishers_of(self.repo)])

    @described(
        operation_id="trust_publisher",
        summary="Let CI jobs publish whose identity token claims all of this",
        request=PublisherBody,
        responses={201: Publisher, 409: OpenApiResponse(description="It is trusted already.")},
    )
    def post(self, request: Request, **_: object) -> Response:
        made = publishers.trust(repo=self.repo, by=self.principal, **sent(request, PublisherBody))
        made.refresh_from_db()
        return Response(Publisher(made).data, status=201)


class OnePublisher(OfRepoRest):
    """DELETE /api/v1/repos/{kind}s/{name}/trusted-publishers/{id}."""

    authz = {"delete": Action.REPO_MANAGE}

    @described(
        operation_id="distrust_publisher",
        summary="Trust a publisher no more; the tokens of its jobs end",
        responses={204: None},
    )
    def delete(self, _request: Request, number: int, **_: object) -> Response:
        publishers.distrust(repo=self.repo, publisher_id=number, by=self.principal)
        return Response(status=204)
