"""Create, move, change, duplicate and delete repos."""

from dataclasses import asdict, dataclass

from django.db import IntegrityError, transaction

from hub.errors import RepoNotFound
from hub.events import RepoCreated, RepoDeleted, RepoMoved, SettingsChanged
from hub.git.attributes import default_attributes
from hub.git.objects import FILE_MODE, Entry, Kind
from hub.git.refs import BRANCHES, RefUpdate
from hub.git.spool import ObjectSpool
from hub.git.stored import store
from hub.models import Repo, RepoCard, RepoRedirect, sql
from hub.names import ROOT, EntryPath, RepoKind, RepoName
from hub.policies import (
    check_can,
    check_can_create_in,
    check_can_give_away,
    check_may_know_of_group,
)
from hub.queries import history, trees
from hub.queries.fsck.leftovers import GIT_TABLES
from hub.queries.scans import check_all_served
from hub.services import blobs, cards, outbox
from hub.services.auditing import changed, record_of
from hub.services.commits import Message, build_commit
from hub.services.edits import TreeEdit
from hub.services.publish import Change, publish
from teams.errors import Conflict, Invalid, NotFound
from teams.models import Grant, Namespace, Organisation
from teams.models.standing import Place
from teams.policies import Principal
from teams.queries import namespace_named
from teams.roles import Action
from teams.services import organisations

INITIAL_TITLE = "initial commit"


@dataclass(frozen=True, slots=True)
class RepoSettings:
    """What may be changed about a repo; None leaves a thing as it is."""

    visibility: str | None = None
    gate: str | None = None
    discussions_disabled: bool | None = None


def create(
    *,
    kind: RepoKind,
    name: RepoName,
    by: Principal,
    visibility: str = "",
    sdk: str = "",
    group_id: int | None = None,
) -> Repo:
    """Create a repo with a first commit that says which files are large.

    Without ``visibility`` it has the one that its organisation gives new repos, else is public;
    ``group_id`` puts it into a resource group.

    Raises:
        NotFound: there is no such namespace, or no such group for ``by``.
        Forbidden: ``by`` may not create repos in it.
        Conflict: there is a repo of that kind and name; the refusal tells its ``url``.
    """
    with transaction.atomic():
        namespace = _namespace_to_fill(kind, name, by, group_id)
        row = Repo(kind=kind, namespace=namespace, name=name.name, sdk=sdk)
        row.resource_group_id = group_id
        row.visibility = _visibility(visibility or default_visibility(namespace))
        repo = _create_row(row, by)
        _first_commit(repo, by)
    return repo


def _create_row(repo: Repo, by: Principal) -> Repo:
    repo.created_by = by.user
    try:
        with transaction.atomic():
            repo.save(force_insert=True)
    except IntegrityError:
        raise Conflict(
            f"You already created this {repo.kind} repo: {repo}", name=str(repo)
        ) from None
    # A new repo takes the name over from one that was moved away from it.
    RepoRedirect.objects.filter(kind=repo.kind, old_name=str(repo).lower()).delete()
    RepoCard.objects.create(repo=repo)
    cards.index_name(repo)
    outbox.announce(repo.pk, RepoCreated(), by=by.user)
    record_of(repo, "repo.create", by=by.user, visibility=repo.visibility)
    return repo


def _namespace_to_fill(
    kind: RepoKind, name: RepoName, by: Principal, group_id: int | None = None
) -> Namespace:
    namespace = namespace_named(name.namespace)
    place = Place(namespace.pk, kind, group_id)
    if group_id is not None:
        check_may_know_of_group(by, place)
    check_can_create_in(by, namespace, place=place)
    organisations.keep(namespace)
    return namespace


def default_visibility(namespace: Namespace) -> str:
    """What new repos of a namespace are if nobody says."""
    asked = Organisation.objects.filter(namespace=namespace)
    return asked.values_list("default_visibility", flat=True).first() or Repo.Visibility.PUBLIC


def _visibility(text: str) -> str:
    if text not in Repo.Visibility.values:
        raise Invalid(f"visibility must be one of public, private; not {text!r}.")
    return text


def _first_commit(repo: Repo, by: Principal) -> None:
    attributes = store(Kind.BLOB, default_attributes(repo.repo_kind).encode())
    edit = TreeEdit(repo.pk, None, ())
    edit.put(EntryPath(".gitattributes"), Entry(FILE_MODE, attributes.oid))
    root, stored_trees = edit.finish()
    made, row = build_commit(root, (), Message(INITIAL_TITLE), by.user, edit.changes)
    ref = BRANCHES + repo.default_branch
    change = Change((RefUpdate(ref, None, made.oid),), [*stored_trees, made], [row])
    with ObjectSpool() as files:
        files.add(attributes)
        publish(repo, refs=[ref], build=lambda _heads: change, files=files, by=by.user)


def change_settings(*, repo: Repo, settings: RepoSettings, by: Principal) -> None:
    """Change visibility, gate or discussions.

    Raises:
        Forbidden: ``by`` may not.
        Invalid: a value is not one of those that exist.
    """
    check_can(by, Action.REPO_MANAGE, repo)
    was_private, before = repo.private, _settings_of(repo)
    if settings.visibility is not None:
        repo.visibility = _visibility(settings.visibility)
    if settings.gate is not None:
        if settings.gate not in Repo.Gate.values:
            raise Invalid('gated must be one of "auto", "manual", false.')
        repo.gate = settings.gate
    if settings.discussions_disabled is not None:
        repo.discussions_disabled = settings.discussions_disabled
    news = SettingsChanged(private=repo.private if repo.private != was_private else None)
    with transaction.atomic():
        # Only what was asked for: what somebody else changes at the same moment stays theirs.
        repo.save(
            update_fields=[name for name, value in asdict(settings).items() if value is not None]
        )
        outbox.announce(repo.pk, news, by=by.user)
        if changes := changed(before, _settings_of(repo)):
            record_of(repo, "repo.update_settings", by=by.user, **changes)


def _settings_of(repo: Repo) -> dict[str, object]:
    return {name: getattr(repo, name) for name in ("visibility", "gate", "discussions_disabled")}


def move(*, repo: Repo, to: RepoName, by: Principal) -> None:
    """Rename a repo or give it to another namespace; the old name goes on leading to it.

    What was granted on it by its old owner ends, and so does its place in a resource group.

    Raises:
        Forbidden: ``by`` may not manage the repo, or not take it out of its organisation, or not
            create one in the new namespace.
        Conflict: the new name is taken, or somebody else moves it at the same moment.
    """
    check_can(by, Action.REPO_MANAGE, repo)
    namespace = namespace_named(to.namespace)
    is_transfer = namespace.pk != repo.namespace_id
    if is_transfer:
        check_can_give_away(by, repo)
        check_can_create_in(by, namespace, place=Place(namespace.pk, repo.kind))
    old = str(repo).lower()
    try:
        with transaction.atomic():
            if is_transfer:
                organisations.keep(namespace)
            _hold(repo)
            outbox.announce(repo.pk, RepoMoved(f"{namespace}/{to.name}", namespace.pk), by=by.user)
            told = {"old": repo.full_name, "new": f"{namespace}/{to.name}"}
            record_of(repo, "repo.move", by=by.user, name=told)
            repo.namespace, repo.name = namespace, to.name
            if is_transfer:
                repo.resource_group = None
                Grant.objects.filter(repo_id=repo.pk).delete()
                record_of(repo, "repo.receive", by=by.user, name=told)
            whither = ["namespace", "resource_group"] if is_transfer else []
            repo.save(update_fields=["name", *whither])
            RepoRedirect.objects.filter(kind=repo.kind, old_name=str(repo).lower()).delete()
            if old != str(repo).lower():
                RepoRedirect.objects.update_or_create(
                    kind=repo.kind, old_name=old, defaults={"repo": repo}
                )
            cards.index_name(repo)
    except IntegrityError:
        raise Conflict(f"A {repo.kind} repository called {to} already exists") from None


def _hold(repo: Repo) -> None:
    """Lock a repo that is still called what the caller thinks.

    Raises:
        Conflict: somebody moved or deleted it in this moment.
    """
    where = [repo.pk, repo.namespace_id, repo.name]
    query = "SELECT 1 FROM hub_repo WHERE id = %s AND namespace_id = %s AND name = %s"
    if sql.row(f"{query} FOR NO KEY UPDATE", where) is None:
        raise Conflict(f"Somebody else moved {repo} in this moment. Look where it is now.")


def delete(*, repo: Repo, by: Principal) -> None:
    """Delete a repo with its history. Large files that no repo holds are collected later.

    Raises:
        Forbidden: ``by`` may not; where a rule protects something only admins may.
    """
    check_can(by, Action.REPO_PROTECT if repo.is_guarded else Action.REPO_MANAGE, repo)
    with transaction.atomic():
        if not Repo.objects.select_for_update().filter(pk=repo.pk).exists():
            raise RepoNotFound
        outbox.announce(repo.pk, RepoDeleted(), by=by.user)
        record_of(repo, "repo.delete", by=by.user, visibility=repo.visibility)
        blobs.let_go(repo=repo)
        for table in GIT_TABLES:
            sql.run(f"DELETE FROM {table} WHERE repo_id = %s", [repo.pk])
        Repo.objects.filter(pk=repo.pk).delete()


def duplicate(*, source: Repo, to: RepoName, by: Principal, visibility: str) -> Repo:
    """Make a repo with the files of ``source``'s default branch, without copying large files.

    Raises:
        Refusal: as :func:`create`; and GatedRepo if ``by`` may not read the source.
        FileWithheld: scanners have not let out all of the source.
    """
    check_can(by, Action.REPO_READ, source)
    check_all_served(source)
    with transaction.atomic():
        # What the head needs is not collected before it is copied.
        sql.run("SELECT pg_advisory_xact_lock_shared(%s)", [source.pk])
        head = history.commit_by_oid(source.pk, _head_of(source))
        if head is None:
            raise NotFound(f"{source} has no commit to copy.")
        namespace = _namespace_to_fill(source.repo_kind, to, by)
        row = Repo(kind=source.kind, namespace=namespace, name=to.name, sdk=source.sdk)
        row.visibility = _visibility(visibility)
        target = _create_row(row, by)
        sql.run(
            "INSERT INTO git_object (repo_id, oid, kind, size, base, lfs_oid, lfs_size, data) "
            "SELECT %s, oid, kind, size, base, lfs_oid, lfs_size, data FROM git_object "
            "WHERE repo_id = %s AND kind IN (2, 3)",
            [target.pk, source.pk],
        )
        sql.run(_COPY_VERDICTS, {"source": source.pk, "target": target.pk})
        sql.run(
            "UPDATE hub_repo SET dirty = true, git_bytes = (SELECT coalesce(sum(octet_length("
            "data)), 0) FROM git_object WHERE repo_id = %s) WHERE id = %s",
            [target.pk, target.pk],
        )
        blobs.copy_all(source=source, target=target)
        _copy_head(source, target, head, by)
    return target


# The bytes are the same, so the verdict is; that somebody let them out there says nothing here.
_COPY_VERDICTS = """
INSERT INTO hub_scan (repo_id, key, state, before, rules, details, scanned_at)
SELECT DISTINCT ON (w.key) %(target)s::bigint, w.key, coalesce(s.state, 'queued'),
    coalesce(s.before, ''), coalesce(s.rules, 0), coalesce(s.details, '{}'), s.scanned_at
FROM (SELECT coalesce(lfs_oid, oid) AS key FROM git_object
    WHERE repo_id = %(target)s AND kind = 3) w
LEFT JOIN hub_scan s ON s.repo_id = %(source)s AND s.key = w.key
ON CONFLICT DO NOTHING
"""


def _head_of(repo: Repo) -> bytes:
    found = next(
        (ref for ref in history.refs(repo, BRANCHES) if ref.name == BRANCHES + repo.default_branch),
        None,
    )
    return found.commit if found else b""


def _copy_head(source: Repo, target: Repo, head: history.CommitRow, by: Principal) -> None:
    changes = {entry.path: False for entry in trees.list_all(source.pk, head, ROOT)}
    message = Message(f"Duplicate from {source}", f"Source: {source} at {head.oid.hex()}")
    made, row = build_commit(head.tree, (), message, by.user, changes)
    ref = BRANCHES + target.default_branch
    change = Change((RefUpdate(ref, None, made.oid),), [made], [row])
    publish(target, refs=[ref], build=lambda _heads: change, by=by.user)
