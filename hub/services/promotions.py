"""Promotions: let a tag, such as production, name a commit, after others have approved."""

from django.db import IntegrityError, transaction
from django.utils import timezone

from hub.errors import RefProtected
from hub.events import PromotionAsked, PromotionDecided
from hub.git.refs import TAGS, RefUpdate
from hub.models import Promotion, Repo
from hub.names import RevisionName
from hub.policies import check_can
from hub.queries.history import CommitRow, ref_oid
from hub.services import outbox, protection
from hub.services.protection import Way
from hub.services.publish import Change, Heads, publish
from teams.errors import Conflict, Forbidden, Invalid, Stale, Unauthenticated
from teams.models import User
from teams.policies import Principal
from teams.roles import Action

_MAX_NOTE = 1000


@transaction.atomic
def ask(*, repo: Repo, tag: RevisionName, target: CommitRow, note: str, by: Principal) -> Promotion:
    """Ask that ``tag`` name ``target``; where no rule wants an approval, it does so at once.

    Raises:
        Refusal: as :func:`hub.policies.check_can`.
        Invalid: the note is too long, or the name is that of a full ref.
        Conflict: the tag names that commit already, or something is asked for it already.
        RefProtected: a rule forbids it whoever approves.
    """
    check_can(by, Action.REPO_WRITE, repo)
    if len(note) > _MAX_NOTE:
        raise Invalid(f"A note has {_MAX_NOTE:,} characters at most.")
    if tag.text.startswith("refs/"):
        raise Invalid(f"Invalid reference for a tag: {tag}")
    old = ref_oid(repo.pk, TAGS + tag.text)
    if old == target.oid:
        raise Conflict(f"{tag} names that commit already.")
    wanted = Promotion(repo=repo, tag=tag.text, old=old, new=target.oid, note=note)
    wanted.asked_by = by.user
    try:
        with transaction.atomic():
            wanted.save()
    except IntegrityError:
        raise Conflict(f"There is an open promotion of {tag}. Decide it first.") from None
    outbox.announce(repo.pk, PromotionAsked(*_told(wanted)), by=by.user)
    if not _needed(wanted):
        _carry_out(wanted, _person(by))
    return wanted


@transaction.atomic
def approve(*, promotion: Promotion, by: Principal) -> Promotion:
    """Approve a promotion; with the last approval that it needs the tag moves.

    Raises:
        Forbidden: ``by`` asked for it themselves, or is not among those who may move the tag.
        Conflict: it is decided already.
        Stale: the tag has moved since it was asked.
        RefProtected: a check is missing.
    """
    promotion, person = _open(promotion, by), _person(by)
    if promotion.asked_by_id == person.pk:
        raise Forbidden("A second person has to approve what you have asked for.")
    for rule in protection.rules_on(promotion.repo, TAGS + promotion.tag):
        if not protection.may_move(rule, promotion.repo, person):
            raise RefProtected(TAGS + promotion.tag, "you are not among those who may move it")
    promotion.approvers.add(person)
    if promotion.approvers.count() >= _needed(promotion):
        _carry_out(promotion, person)
    return promotion


@transaction.atomic
def refuse(*, promotion: Promotion, by: Principal) -> Promotion:
    """Say no to a promotion, or take it back; the tag stays where it is.

    Raises:
        Refusal: as :func:`hub.policies.check_can`.
        Conflict: it is decided already.
    """
    promotion = _open(promotion, by)
    _decide(promotion, Promotion.Status.REFUSED, _person(by))
    return promotion


def _open(promotion: Promotion, by: Principal) -> Promotion:
    check_can(by, Action.REPO_WRITE, promotion.repo)
    locked = Promotion.objects.select_for_update(of=("self",)).select_related("repo__namespace")
    fresh = locked.get(pk=promotion.pk)
    if fresh.status != Promotion.Status.OPEN:
        raise Conflict(f"This promotion is {fresh.status} already.")
    return fresh


def _person(by: Principal) -> User:
    if by.user is None:
        raise Unauthenticated
    return by.user


def _needed(promotion: Promotion) -> int:
    rules = protection.rules_on(promotion.repo, TAGS + promotion.tag)
    return protection.needed_approvals(rules)


def _carry_out(promotion: Promotion, by: User) -> None:
    ref, old, new = TAGS + promotion.tag, promotion.old, bytes(promotion.new)

    def build(heads: Heads) -> Change:
        now = heads[ref]
        if now != (bytes(old) if old is not None else None):
            raise Stale(f"{promotion.tag} has moved since this was asked. Ask again.")
        update = RefUpdate(ref, now, new)
        return Change((update,), makes_garbage=now is not None, way=Way.PROMOTION)

    publish(promotion.repo, refs=[ref], build=build, by=by)
    _decide(promotion, Promotion.Status.DONE, by)


def _decide(promotion: Promotion, status: str, by: User) -> None:
    promotion.status, promotion.decided_by, promotion.decided_at = status, by, timezone.now()
    promotion.save(update_fields=["status", "decided_by", "decided_at"])
    news = PromotionDecided(*_told(promotion))
    outbox.announce(promotion.repo_id, news, by=by)


def _told(promotion: Promotion) -> tuple[int, str, str | None, str, str]:
    old = bytes(promotion.old).hex() if promotion.old is not None else None
    return (promotion.pk, promotion.tag, old, bytes(promotion.new).hex(), promotion.status)
