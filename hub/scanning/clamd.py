"""Ask clamd, the daemon of ClamAV, over its socket (man clamd: zINSTREAM)."""

import socket
from collections.abc import Iterable
from struct import pack

from hub.scanning.verdicts import Status, Verdict, trouble

MOST_BYTES = 128 * 1024 * 1024
"""Of one file that is sent: half from its beginning, half from its end."""
_PATIENCE_SECONDS = 120.0
_PIECE_BYTES = 256 * 1024
_MOST_ANSWER_BYTES = 4096


def ask_clamd(address: str, pieces: Iterable[bytes]) -> Verdict:
    """What clamd at that path says of a stream; that nobody answers is an error, never «clean»."""
    try:
        with socket.socket(socket.AF_UNIX) as channel:
            channel.settimeout(_PATIENCE_SECONDS)
            channel.connect(address)
            channel.sendall(b"zINSTREAM\0")
            for piece in pieces:
                for at in range(0, len(piece), _PIECE_BYTES):
                    part = piece[at : at + _PIECE_BYTES]
                    channel.sendall(pack(">I", len(part)) + part)
            channel.sendall(pack(">I", 0))
            answer = channel.recv(_MOST_ANSWER_BYTES).rstrip(b"\0\n").decode(errors="replace")
    except OSError as fault:
        return trouble("clamav", Status.ERROR, f"ClamAV does not answer: {fault}.")
    return _verdict(answer.removeprefix("stream: "))


def _verdict(answer: str) -> Verdict:
    if answer.endswith(" FOUND"):
        return trouble("clamav", Status.UNSAFE, answer.removesuffix(" FOUND"))
    if answer != "OK":
        return trouble("clamav", Status.ERROR, f"ClamAV could not tell: {answer}.")
    return trouble("clamav", Status.SAFE, "Nothing was found.")
