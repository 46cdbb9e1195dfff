"""Crash points: named places between socket and commit where a test lets the process die.

``HUB_CRASHPOINT=publish.after_refs:3`` kills a process at its third pass of that place, as nothing
but SIGKILL does: no handler runs, no buffer is written. With ``:stop`` at the end it stands still
there until SIGCONT, so that what it talks to can be killed meanwhile. After a comma follows what
is to happen next, to whichever process comes there first. Unset, a place costs one comparison.
"""

import mmap
import os
import signal
from enum import StrEnum
from itertools import count

VARIABLE = "HUB_CRASHPOINT"


class Point(StrEnum):
    """The places, each in the order in which a request comes to it."""

    COMMIT_READ = "commit.read"
    """All of a commit's body is read and its files are deflated; nothing is written."""

    BLOB_STAGED = "blob.staged"
    BLOB_PUBLISHED = "blob.published"
    """A large file has its key, and no row."""
    BLOB_LINKED = "blob.linked"
    BLOB_ACCEPTED = "blob.accepted"
    PART_STAGED = "part.staged"
    PARTS_JOINED = "parts.joined"

    XORB_STAGED = "xorb.staged"
    XORB_PUBLISHED = "xorb.published"
    XORB_INDEXED = "xorb.indexed"
    XORB_INSERTED = "xorb.inserted"
    XORB_ACCEPTED = "xorb.accepted"
    SHARD_CHECKED = "shard.checked"
    SHARD_HASHED = "shard.hashed"
    SHARD_INSERTED = "shard.inserted"
    SHARD_REGISTERED = "shard.registered"

    PUSH_RECEIVED = "push.received"
    """The pack is on the disk and its deltas are carried out."""
    PUSH_CHECKED = "push.checked"

    PUBLISH_BUILT = "publish.built"
    PUBLISH_BEFORE_INSERT = "publish.before_insert"
    PUBLISH_AFTER_OBJECTS = "publish.after_objects"
    PUBLISH_LOCKED = "publish.locked"
    PUBLISH_AFTER_COMMITS = "publish.after_commits"
    PUBLISH_AFTER_REFS = "publish.after_refs"
    PUBLISH_BEFORE_COMMIT = "publish.before_commit"
    PUBLISH_AFTER_COMMIT = "publish.after_commit"

    INDEX_FILED = "index.filed"
    INDEX_COMMITTED = "index.committed"
    SWEEP_DROPPED = "sweep.dropped"
    COLLECT_MARKED = "collect.marked"
    COLLECT_SWEPT = "collect.swept"
    COLLECT_COMMITTED = "collect.committed"
    COLLECT_FORGOTTEN = "collect.forgotten"
    COLLECT_CONDEMNED = "collect.condemned"
    COLLECT_UNNAMED = "collect.unnamed"
    """The rows of bytes are deleted and their keys written down; the bytes lie there still."""
    COLLECT_DROPPED = "collect.dropped"
    WEBHOOK_CLAIMED = "webhook.claimed"
    WEBHOOK_SENT = "webhook.sent"
    SCAN_CLAIMED = "scan.claimed"
    SCAN_LOOKED = "scan.looked"


class Place:
    """A pass of a point at which something happens."""

    def __init__(self, text: str) -> None:
        """Read ``point``, ``point:n`` or ``point:n:stop``.

        Raises:
            ValueError: that is no crash point.
        """
        name, _, rest = text.partition(":")
        nth, _, how = rest.partition(":")
        if how not in {"", "stop"} or not (nth or "1").isdecimal():
            raise ValueError(f"{VARIABLE}={text!r}: it should look like point:n or point:n:stop")
        self.point = Point(name)
        self._nth = max(1, int(nth or 1))
        self._signal = signal.SIGSTOP if how else signal.SIGKILL
        self._passes = count(1)

    def is_due(self) -> bool:
        # Threads share the count, and next() of it is one step for all of them.
        return next(self._passes) == self._nth

    def act(self) -> None:
        os.kill(os.getpid(), self._signal)


class Plan:
    """Places one after the other. Forked processes share how far it is; each counts for itself."""

    def __init__(self, text: str) -> None:
        self._places = [Place(one) for one in text.split(",")]
        self._done = mmap.mmap(-1, mmap.PAGESIZE)

    def pass_(self, point: Point) -> None:
        done = int.from_bytes(self._done[:_COUNT_BYTES], "little")
        place = self._places[done] if done < len(self._places) else None
        if place is not None and place.point is point and place.is_due():
            self._done[:_COUNT_BYTES] = (done + 1).to_bytes(_COUNT_BYTES, "little")
            place.act()


_COUNT_BYTES = 4
_plan = Plan(text) if (text := os.environ.get(VARIABLE, "")) else None


def reach(point: Point) -> None:
    """Say that the process has come to ``point``."""
    if _plan is not None:
        _plan.pass_(point)
