"""What a scanning process may not do: open files, speak to anybody, start others, grow."""

import ctypes
import errno
import platform
import resource
import struct

MEMORY_BYTES = 1024 * 1024 * 1024
CPU_SECONDS = 60
"""For one file; who comes upon its end dies."""

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER = 38, 22, 2
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_NUMBER_AT, _ARCH_AT = 0, 4
# By architecture: the kernel's name for it, and its numbers for: sockets, programs and processes,
# files, other processes, and rings that do all of that without a call.
_CALLS: dict[str, tuple[int, tuple[int, ...]]] = {
    "x86_64": (
        0xC000003E,
        (
            41,
            42,
            43,
            49,
            50,
            53,
            288,
            59,
            322,
            56,
            57,
            58,
            435,
            2,
            85,
            257,
            437,
            82,
            83,
            84,
            86,
            87,
            88,
            258,
            263,
            264,
            265,
            266,
            316,
            62,
            101,
            200,
            234,
            310,
            311,
            321,
            425,
            426,
            427,
        ),
    ),
    "aarch64": (
        0xC00000B7,
        (
            198,
            199,
            200,
            201,
            202,
            203,
            242,
            221,
            281,
            220,
            435,
            56,
            437,
            34,
            35,
            36,
            37,
            38,
            276,
            129,
            117,
            130,
            131,
            270,
            271,
            280,
            425,
            426,
            427,
        ),
    ),
}


def restrict() -> bool:
    """Give up, for good, what looking at bytes does not need; no if the kernel keeps no such word.

    Whatever this process is going to import must be imported by now.
    """
    limits = {
        resource.RLIMIT_AS: MEMORY_BYTES,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NPROC: 0,
    }
    for limit, most in limits.items():
        resource.setrlimit(limit, (most, most))
    return _filter_calls()


def begin_file() -> None:
    """Let the clock of a new file begin."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = int(usage.ru_utime + usage.ru_stime) + 1
    _soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (used + CPU_SECONDS, hard))


def _filter_calls() -> bool:
    """Have the kernel refuse these calls: a filter of seccomp, which needs no rights to be set."""
    known = _CALLS.get(platform.machine())
    if known is None:
        return False
    architecture, refused = known
    deny = _ERRNO | errno.EPERM
    program = [
        _step(_LOAD, _ARCH_AT),
        _step(_EQUAL, architecture, 1, 0),
        _step(_RETURN, deny),
        _step(_LOAD, _NUMBER_AT),
    ]
    for number in refused:
        program += [_step(_EQUAL, number, 0, 1), _step(_RETURN, deny)]
    program.append(_step(_RETURN, _ALLOW))
    code = ctypes.create_string_buffer(b"".join(program))
    given = ctypes.create_string_buffer(struct.pack("HL", len(program), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return False
    return bool(libc.prctl(_PR_SET_SECCOMP, _FILTER, ctypes.byref(given), 0, 0) == 0)


def _step(code: int, value: int, if_so: int = 0, if_not: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_so, if_not, value)
