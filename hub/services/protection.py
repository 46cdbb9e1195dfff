"""Rules on refs: set them, and ask them whenever a ref moves, whichever door it comes by."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.db import transaction

from hub.errors import RefProtected
from hub.git.refs import BRANCHES, TAGS, RefUpdate
from hub.git.wildmatch import Pattern
from hub.models import Approval, CommitStatus, Discussion, RefRule, Repo, sql
from hub.models.protection import MAX_CONTEXT, MAX_NEEDED
from hub.policies import check_can, facts_of
from hub.queries.merge_bases import leads_to
from hub.queries.tags import known_chains
from hub.services.auditing import record_of
from teams.errors import Invalid, NotFound
from teams.models import User
from teams.policies import Principal, effective_role
from teams.queries import user_named
from teams.roles import Action, Role

MAX_RULES = 50
MAX_CHECKS = 20
MAX_MOVERS = 50
_MAX_PATTERN = 255
_PREFIXES = {RefRule.Kind.BRANCH: BRANCHES, RefRule.Kind.TAG: TAGS}


class Way(StrEnum):
    """How a ref comes to move."""

    DIRECT = "direct"
    """By a commit, a push, or by name."""
    MERGE = "merge"
    """By the merge of a pull request; :func:`check_merge` asks the rest."""
    PROMOTION = "promotion"
    """By a promotion that has its approvals."""
    REWRITE = "rewrite"
    """With all of history, out of which something is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleWish:
    """What a rule is to be."""

    kind: str
    pattern: str
    least_role: Role = Role.WRITE
    movers: Sequence[str] = ()
    keeps_history: bool = True
    forbids_deletion: bool = True
    needs_pull_request: bool = False
    needed_approvals: int = 0
    needed_checks: Sequence[str] = ()


@transaction.atomic
def set_rule(*, repo: Repo, wish: RuleWish, by: Principal) -> RefRule:
    """Protect the branches or tags that a pattern names, in place of what was said of it before.

    Raises:
        Refusal: as :func:`hub.policies.check_can`.
        Invalid: a part of ``wish`` cannot be.
        NotFound: a mover does not exist.
    """
    check_can(by, Action.REPO_PROTECT, repo)
    _check(wish)
    movers = [user_named(name) for name in wish.movers]
    sql.run("UPDATE hub_repo SET is_guarded = true WHERE id = %s", [repo.pk])
    rule, _is_new = RefRule.objects.update_or_create(
        repo=repo,
        kind=wish.kind,
        pattern=wish.pattern,
        defaults={
            "least_role": wish.least_role,
            "keeps_history": wish.keeps_history,
            "forbids_deletion": wish.forbids_deletion,
            "needs_pull_request": wish.needs_pull_request,
            "needed_approvals": wish.needed_approvals,
            "needed_checks": list(dict.fromkeys(wish.needed_checks)),
            "created_by": by.user,
        },
    )
    rule.movers.set(movers)
    if repo.ref_rules.count() > MAX_RULES:
        raise Invalid(f"A repo has {MAX_RULES} rules at most.")
    told: dict[str, object] = {"kind": rule.kind, "pattern": rule.pattern, "movers": wish.movers}
    told |= {name: getattr(rule, name) for name in _TOLD}
    record_of(repo, "repo.set_rule", by=by.user, **told)
    return rule


_TOLD = (
    "least_role",
    "keeps_history",
    "forbids_deletion",
    "needs_pull_request",
    "needed_approvals",
    "needed_checks",
)
"""What the audit log tells of a rule."""


@transaction.atomic
def delete_rule(*, repo: Repo, rule_id: int, by: Principal) -> None:
    """Let go of a rule.

    Raises:
        Refusal: as :func:`hub.policies.check_can`.
        NotFound: the repo has no such rule.
    """
    check_can(by, Action.REPO_PROTECT, repo)
    sql.run("SELECT 1 FROM hub_repo WHERE id = %s FOR NO KEY UPDATE", [repo.pk])
    rule = repo.ref_rules.filter(pk=rule_id).first()
    if rule is None:
        raise NotFound("There is no such rule.")
    rule.delete()
    record_of(repo, "repo.delete_rule", by=by.user, kind=rule.kind, pattern=rule.pattern)
    query = """
        UPDATE hub_repo r SET is_guarded = EXISTS (SELECT FROM hub_refrule WHERE repo_id = r.id)
        WHERE id = %s
    """
    sql.run(query, [repo.pk])


def rules_on(repo: Repo, ref: str) -> list[RefRule]:
    """The rules of ``repo`` that ``ref`` has to keep."""
    return _fitting(repo.ref_rules.prefetch_related("movers"), ref)


def check_moves(
    repo: Repo, updates: Iterable[RefUpdate], *, by: User | None, way: Way = Way.DIRECT
) -> None:
    """Refuse a move that a rule forbids; the refs and their commits have been written already.

    ``by`` is None where the hub itself does something, which no rule binds.

    Raises:
        RefProtected: a rule says no; it tells which and why.
    """
    if by is None:
        return
    rules = list(repo.ref_rules.prefetch_related("movers"))
    for update in updates:
        for rule in _fitting(rules, update.ref):
            reason = _objection(repo, rule, update, by, way)
            if reason:
                raise RefProtected(update.ref, reason)


def check_merge(discussion: Discussion, head: bytes) -> None:
    """Refuse the merge of a pull request that lacks an approval or a check.

    Raises:
        RefProtected: it tells what is missing.
    """
    missing = missing_for_merge(discussion, head)
    if missing:
        raise RefProtected(discussion.target, missing)


def missing_for_merge(discussion: Discussion, head: bytes) -> str:
    """What a pull request still lacks to be merged, in words; empty if nothing does."""
    for rule in rules_on(discussion.repo, discussion.target):
        approvals = Approval.objects.filter(discussion=discussion, head=head)
        count = approvals.exclude(user=discussion.author_id).count()
        if count < rule.needed_approvals:
            return f"it has {count} of the {rule.needed_approvals} approvals that it needs"
        if missing := _missing_checks(discussion.repo_id, rule, head):
            return missing
    return ""


def may_move(rule: RefRule, repo: Repo, user: User) -> bool:
    """Whether ``user`` is among those who may move what ``rule`` protects."""
    if effective_role(facts_of(repo, Principal(user=user))) >= rule.least_role:
        return True
    return any(mover.pk == user.pk for mover in rule.movers.all())


def needed_approvals(rules: Iterable[RefRule]) -> int:
    return max((rule.needed_approvals for rule in rules), default=0)


def _fitting(rules: Iterable[RefRule], ref: str) -> list[RefRule]:
    return [
        rule
        for rule in rules
        if Pattern.parse(_PREFIXES[RefRule.Kind(rule.kind)] + rule.pattern).matches(ref)
    ]


def _objection(repo: Repo, rule: RefRule, update: RefUpdate, by: User, way: Way) -> str:
    if not may_move(rule, repo, by):
        return "you are not among those who may move it"
    if update.new is None:
        # Made anew it would be free of what its review had to say.
        is_kept = rule.forbids_deletion or (_is_branch(rule) and _asks_for_review(rule))
        return "it may not be deleted" if is_kept else ""
    if rule.keeps_history and update.old is not None and _rewrites(repo, rule, update):
        return "its history may not be rewritten" if _is_branch(rule) else "it may not be moved"
    return _objection_to_way(repo, rule, update, way)


def _objection_to_way(repo: Repo, rule: RefRule, update: RefUpdate, way: Way) -> str:
    if way is Way.MERGE or update.new is None:
        return ""
    if _is_branch(rule) and _asks_for_review(rule) and update.old is not None:
        return "it changes by pull requests alone"
    if not _is_branch(rule) and rule.needed_approvals and way is not Way.PROMOTION:
        return "it moves by promotions that others approve"
    return _missing_checks(repo.pk, rule, _peeled(repo.pk, update.new))


def _rewrites(repo: Repo, rule: RefRule, update: RefUpdate) -> bool:
    if not _is_branch(rule) or update.old is None or update.new is None:
        return True
    return not leads_to(repo.pk, update.new, update.old)


def _asks_for_review(rule: RefRule) -> bool:
    return rule.needs_pull_request or rule.needed_approvals > 0


def _is_branch(rule: RefRule) -> bool:
    return rule.kind == RefRule.Kind.BRANCH


def _peeled(repo_id: int, oid: bytes) -> bytes:
    chain = known_chains(repo_id, [oid]).get(oid)
    return chain.target if chain else oid


def _missing_checks(repo_id: int, rule: RefRule, commit: bytes) -> str:
    if not rule.needed_checks:
        return ""
    found = dict(
        CommitStatus.objects.filter(repo_id=repo_id, oid=commit).values_list("context", "state")
    )
    for context in rule.needed_checks:
        state = found.get(context, "not reported")
        if state != CommitStatus.State.SUCCESS:
            return f"the check {context} is {state}, and has to be a success"
    return ""


def _check(wish: RuleWish) -> None:
    if wish.kind not in set(RefRule.Kind):
        raise Invalid(f"kind must be one of {', '.join(RefRule.Kind)}.")
    pattern = wish.pattern
    if not pattern or len(pattern) > _MAX_PATTERN or pattern.startswith("/"):
        raise Invalid("pattern must be a name or a glob, such as main or release/*.")
    if wish.least_role not in {Role.WRITE, Role.ADMIN}:
        raise Invalid("least_role must be write or admin.")
    if wish.kind == RefRule.Kind.TAG:
        _check_of_tag(wish)
    _check_needs(wish)


def _check_of_tag(wish: RuleWish) -> None:
    if wish.needs_pull_request:
        raise Invalid("Pull requests change branches, not tags.")
    if wish.keeps_history and wish.needed_approvals:
        raise Invalid("A tag that stays where it was put cannot be promoted: let it move.")


def _check_needs(wish: RuleWish) -> None:
    if not 0 <= wish.needed_approvals <= MAX_NEEDED:
        raise Invalid(f"needed_approvals must be 0 to {MAX_NEEDED}.")
    if len(wish.needed_checks) > MAX_CHECKS or len(wish.movers) > MAX_MOVERS:
        raise Invalid(f"A rule names {MAX_CHECKS} checks and {MAX_MOVERS} movers at most.")
    if any(not 0 < len(context) <= MAX_CONTEXT for context in wish.needed_checks):
        raise Invalid(f"The name of a check has 1 to {MAX_CONTEXT} characters.")
