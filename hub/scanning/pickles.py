"""What a pickle would import, without loading it.

Its opcodes are walked over a model of the stack that knows strings and nothing else, which is all
that an import is made of. A broken pickle runs up to where it breaks, and so far it is read.
"""

import pickletools
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from struct import error as struct_error
from typing import BinaryIO

from picklescan.scanner import SafetyLevel, scan_pickle_bytes

from hub.scanning.imports import judge
from hub.scanning.verdicts import Import, Safety, Status, Verdict, failure, trouble

PROTOCOL = b"\x80"
MOST_PICKLES = 1000
MOST_OPCODES = 10_000_000
MOST_UNEXPECTED = 1_000_000
"""Opcodes that are read of what may be no pickle at all."""
SECOND_OPINION_BYTES = 64 * 1024 * 1024
"""Of how much of a pickle the second scanner is asked; it reads all of it into memory."""
_MARK = object()
_CALLS = frozenset({"REDUCE", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX"})
_BROKEN = (ValueError, struct_error, EOFError, OverflowError, IndexError, KeyError)


@dataclass
class Walk:
    """What was seen of one pickle."""

    most: int = MOST_OPCODES
    imports: set[tuple[str, str]] = field(default_factory=set)
    calls: bool = False
    """Something is called for which the stack has what it takes."""
    opcodes: int = 0
    is_whole: bool = False
    """It came to its end."""
    _stack: list[object] = field(default_factory=list)
    _memo: dict[int, object] = field(default_factory=dict)

    def read(self, file: BinaryIO) -> None:
        try:
            for opcode, argument, _at in pickletools.genops(file):
                self.opcodes += 1
                if self.opcodes > self.most:
                    return
                self._step(opcode, argument)
                self.is_whole = opcode.name == "STOP"
        except _BROKEN:
            return

    def _step(self, opcode: pickletools.OpcodeInfo, argument: object) -> None:
        name = opcode.name
        if name in _CALLS:
            self.calls |= len(self._stack) >= 2 or name == "INST"  # noqa: PLR2004 - callee, arguments
        if name in {"GLOBAL", "INST"}:
            module, _, attribute = str(argument).partition(" ")
            self.imports.add((module, attribute))
        elif name == "STACK_GLOBAL":
            self._import_from_stack()
            return
        elif name.startswith("EXT"):
            self.imports.add(("copyreg", f"extension {argument}"))
        self._move(opcode, argument)

    def _import_from_stack(self) -> None:
        attribute, module = self._pop(), self._pop()
        self.imports.add((_text(module), _text(attribute)))
        self._stack.append(None)

    def _move(self, opcode: pickletools.OpcodeInfo, argument: object) -> None:
        name = opcode.name
        if "PUT" in name and isinstance(argument, int):
            self._memo[argument] = self._top()
        elif name == "MEMOIZE":
            self._memo[len(self._memo)] = self._top()
        elif "GET" in name and isinstance(argument, int):
            self._stack.append(self._memo.get(argument))
        elif name == "DUP":
            self._stack.append(self._top())
        elif name == "MARK":
            self._stack.append(_MARK)
        else:
            self._take(opcode)
            is_text = isinstance(argument, str) and len(opcode.stack_after) == 1
            value = argument if is_text and name not in {"GLOBAL", "INST", "PERSID"} else None
            self._stack += [value] * len(opcode.stack_after)

    def _take(self, opcode: pickletools.OpcodeInfo) -> None:
        before = opcode.stack_before
        if pickletools.markobject in before:
            while self._stack and self._stack.pop() is not _MARK:
                pass
            before = before[: before.index(pickletools.markobject)]
        for _one in before:
            self._pop()

    def _pop(self) -> object:
        return self._stack.pop() if self._stack else None

    def _top(self) -> object:
        return self._stack[-1] if self._stack else None


def _text(value: object) -> str:
    """A part of an import's name; what was computed rather than written is not known."""
    return value if isinstance(value, str) else "?"


def look_into(file: BinaryIO, *, expected: bool) -> Verdict | None:
    """Look into the pickles that ``file`` holds one after another, from where it stands.

    Answers None where there is none. What begins like no pickle of today may still be one of
    protocol 0, which is text: unless one is ``expected``, it has to call what it imported.
    """
    walks = list(_walks(file, MOST_OPCODES if expected else MOST_UNEXPECTED))
    first = walks[0]
    is_pickle = expected or first.is_whole or (first.imports and first.calls)
    if not is_pickle or not any(walk.opcodes for walk in walks):
        return failure("This is no pickle that could be read.") if expected else None
    if not expected and not any(walk.imports for walk in walks):
        return None
    found = {place for walk in walks for place in walk.imports}
    verdict = Verdict("pickle", imports=tuple(sorted(_judged(found))))
    if not first.is_whole:
        told = "The pickle breaks off, or is damaged; what is before that runs."
        return verdict.and_also(trouble("pickle", Status.ERROR, told))
    if len(walks) > MOST_PICKLES or any(walk.opcodes > walk.most for walk in walks):
        return verdict.and_also(failure("There is more in this pickle than anybody looks at."))
    return verdict


def _walks(file: BinaryIO, most: int) -> Iterator[Walk]:
    """Every pickle of the file. After the first, what is none are the tensors of old torch."""
    for number in range(MOST_PICKLES + 1):
        walk = Walk(most)
        walk.read(file)
        if number == 0 or walk.is_whole or walk.imports:
            yield walk
        if not walk.is_whole:
            return


def _judged(found: set[tuple[str, str]]) -> Iterator[Import]:
    for module, name in found:
        yield Import(module, name, judge(module, name))


def second_opinion(raw: bytes) -> Verdict:
    """What picklescan says of a pickle: its list of dangerous imports is longer than ours."""
    if len(raw) > SECOND_OPINION_BYTES:
        return Verdict()
    found = scan_pickle_bytes(BytesIO(raw), "pickle")
    return Verdict(
        imports=tuple(
            Import(one.module, one.name, Safety.DANGEROUS)
            for one in found.globals
            if one.safety is SafetyLevel.Dangerous
        )
    )
