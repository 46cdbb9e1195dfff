"""REST: which branches and tags of a repo are protected, and how."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hub.models import RefRule
from hub.models.protection import MAX_CONTEXT, MAX_NEEDED
from hub.queries.protection import rules_of
from hub.rest.of_repo import OfRepoRest, sent
from hub.services import protection
from hub.services.protection import MAX_CHECKS, MAX_MOVERS, RuleWish
from teams.http.rest import described
from teams.roles import Action, Role

KINDS = [kind.value for kind in RefRule.Kind]
ROLES = [Role.WRITE.label, Role.ADMIN.label]


class RuleBody(serializers.Serializer[dict[str, Any]]):
    """What a rule is to be."""

    kind = serializers.ChoiceField(choices=KINDS)
    pattern = serializers.CharField(
        max_length=255, help_text="A name or a glob: main, release/*, v*."
    )
    least_role = serializers.ChoiceField(choices=ROLES, default=Role.WRITE.label)
    movers = serializers.ListField(
        child=serializers.CharField(),
        default=list,
        max_length=MAX_MOVERS,
        help_text="Users who may move it with a lesser role, if they may write at all.",
    )
    keeps_history = serializers.BooleanField(
        default=True, help_text="A branch only grows; a tag stays where it was put."
    )
    forbids_deletion = serializers.BooleanField(default=True)
    needs_pull_request = serializers.BooleanField(default=False, help_text="Branches only.")
    needed_approvals = serializers.IntegerField(
        default=0, min_value=0, max_value=MAX_NEEDED, help_text="Of other people."
    )
    needed_checks = serializers.ListField(
        child=serializers.CharField(max_length=MAX_CONTEXT),
        default=list,
        max_length=MAX_CHECKS,
        help_text="Contexts of commit statuses that must be successes.",
    )


class Rule(serializers.Serializer[RefRule]):
    """A rule as it holds."""

    id = serializers.IntegerField(source="pk")
    kind = serializers.ChoiceField(choices=KINDS)
    pattern = serializers.CharField()
    least_role = serializers.SerializerMethodField()
    movers = serializers.SerializerMethodField()
    keeps_history = serializers.BooleanField()
    forbids_deletion = serializers.BooleanField()
    needs_pull_request = serializers.BooleanField()
    needed_approvals = serializers.IntegerField()
    needed_checks = serializers.ListField(child=serializers.CharField())

    def get_least_role(self, rule: RefRule) -> str:
        return Role(rule.least_role).label

    def get_movers(self, rule: RefRule) -> list[str]:
        return sorted(user.name for user in rule.movers.all())


class RefRules(OfRepoRest):
    """GET and PUT /api/v1/repos/{kind}s/{name}/ref-rules."""

    authz = {"get": Action.REPO_SEE, "put": Action.REPO_PROTECT}

    @described(
        operation_id="list_ref_rules",
        summary="How branches and tags are protected",
        responses={200: Rule(many=True)},
    )
    def get(self, _request: Request, **_: object) -> Response:
        return Response([Rule(rule).data for rule in rules_of(self.repo)])

    @described(
        operation_id="set_ref_rule",
        summary="Protect the branches or tags that a pattern names, in place of what held before",
        request=RuleBody,
        responses={200: Rule, 400: OpenApiResponse(description="Such a rule cannot be.")},
    )
    def put(self, request: Request, **_: object) -> Response:
        values = sent(request, RuleBody)
        role = Role[values.pop("least_role").upper()]
        wish = RuleWish(**values, least_role=role)
        rule = protection.set_rule(repo=self.repo, wish=wish, by=self.principal)
        return Response(Rule(rule).data)


class OneRefRule(OfRepoRest):
    """DELETE /api/v1/repos/{kind}s/{name}/ref-rules/{id}."""

    authz = {"delete": Action.REPO_PROTECT}

    @described(operation_id="delete_ref_rule", summary="Let go of a rule", responses={204: None})
    def delete(self, _request: Request, number: int, **_: object) -> Response:
        protection.delete_rule(repo=self.repo, rule_id=number, by=self.principal)
        return Response(status=204)
