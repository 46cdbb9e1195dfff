"""Child processes under one parent: started, watched, restarted with backoff, stopped in order."""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Self

import structlog

log = structlog.get_logger(__name__)

FIRST_DELAY_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 30.0
STEADY_SECONDS = 60.0
"""A child that lived this long was well; its next failure begins with the shortest delay again."""

_PR_SET_PDEATHSIG = 1
_SIGNALS = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
_libc = ctypes.CDLL(None, use_errno=True)


def settle(orphan_signal: signal.Signals = signal.SIGTERM) -> None:
    """In a new child: hear signals again, and end when the parent dies, however it dies."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    _libc.prctl(_PR_SET_PDEATHSIG, int(orphan_signal), 0, 0, 0)


@dataclass
class Child:
    """One program that should always run, and how to end it."""

    name: str
    command: Sequence[str]
    environ: Mapping[str, str]
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGTERM
    user: str | None = None
    log_to: int | None = None
    process: "subprocess.Popen[bytes] | None" = None
    started: float = 0.0
    start_at: float = 0.0
    delay: float = field(default=FIRST_DELAY_SECONDS)

    def start(self) -> None:
        self.started = time.monotonic()
        # A session of its own keeps the terminal's Ctrl-C away from it: the parent orders the end.
        self.process = subprocess.Popen(  # noqa: S603 - commands of our own
            self.command,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=self.log_to,
            stderr=self.log_to,
            cwd=None if self.user is None else "/",
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else [],
            start_new_session=True,
            preexec_fn=partial(settle, self.orphan_signal),  # noqa: PLW1509 - one thread
        )

    def signal(self, number: signal.Signals, *, group: bool = False) -> None:
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            (os.killpg if group else os.kill)(self.process.pid, number)

    def bury(self, code: int) -> None:
        """Note its death, end what it left behind, and say when it comes back."""
        self.signal(signal.SIGTERM, group=True)
        if self.process is not None:
            self.process.returncode = code
        self.process = None
        now = time.monotonic()
        if now - self.started > STEADY_SECONDS:
            self.delay = FIRST_DELAY_SECONDS
        self.start_at = now + self.delay
        log.warning("child_died", child=self.name, exit=code, restart_in_s=self.delay)
        self.delay = min(self.delay * 2, LONGEST_DELAY_SECONDS)


class Family:
    """The children of this process. Use it from the main thread only, as its context."""

    def __init__(self) -> None:
        self._children: list[Child] = []
        self._stopping = False

    def __enter__(self) -> Self:
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        return self

    def __exit__(self, *_reason: object) -> None:
        for child in reversed(self._children):
            child.signal(signal.SIGKILL, group=True)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)

    @property
    def stopping(self) -> bool:
        return self._stopping

    def add(self, child: Child) -> None:
        self._children.append(child)
        child.start()

    def runs(self, child: Child) -> bool:
        """Look after everybody for a moment, and say whether ``child`` runs."""
        self.tend(seconds=0)
        return child.process is not None and not self._stopping

    def run(self, *, while_starting: Callable[[], bool]) -> None:
        """Keep all children alive until somebody says stop; poll ``while_starting`` until true."""
        settled = False
        while not self._stopping:
            settled = settled or while_starting()
            self.tend(seconds=1.0 if settled else 0.05)

    def tend(self, *, seconds: float) -> None:
        """Wait for a signal for so long; bury the dead, and restart whose time has come."""
        due = [c.start_at - time.monotonic() for c in self._children if c.process is None]
        self._hear(max(0.0, min([seconds, *due])))
        self._reap()
        for child in self._children:
            if child.process is None and not self._stopping and time.monotonic() >= child.start_at:
                log.info("child_restarted", child=child.name)
                child.start()

    def stop(self, children: Sequence[Child], *, seconds: float) -> None:
        """Ask all of them to end at once; end by force those that take longer."""
        self._stopping = True
        for child in children:
            child.signal(child.stop_signal)
        end = time.monotonic() + seconds
        impatient = False
        while any(c.process for c in children) and time.monotonic() < end and not impatient:
            impatient = self._hear(0.05)
            self._reap(quietly=True)
        for child in children:
            if child.process is not None:
                log.warning("child_killed", child=child.name, after_s=seconds)
                child.signal(signal.SIGKILL, group=True)
                child.process.wait()
                child.process = None

    def _hear(self, seconds: float) -> bool:
        heard = signal.sigtimedwait(_SIGNALS, seconds)
        asked = heard is not None and heard.si_signo != signal.SIGCHLD
        self._stopping = self._stopping or asked
        return asked

    def _reap(self, *, quietly: bool = False) -> None:
        """As the first process of a container we inherit orphans too: any child is waited for."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for child in self._children:
                if child.process is not None and child.process.pid == pid:
                    self._end(child, os.waitstatus_to_exitcode(status), quietly=quietly)

    def _end(self, child: Child, code: int, *, quietly: bool) -> None:
        if not quietly:
            child.bury(code)
            return
        log.info("child_stopped", child=child.name, exit=code)
        child.signal(signal.SIGKILL, group=True)
        if child.process is not None:
            child.process.returncode = code
        child.process = None
