"""Send one file to a CAS by the client library: ``python -m hub.xet.sending``.

A program of its own: the library has threads that do not survive a fork, keeps what it has seen in
a folder, and holds many xorbs in memory. It reads one line of JSON (``cas``, ``token``,
``expires``, ``sha256``), then the bytes of the file up to the end.
"""

import json
import sys
from typing import BinaryIO

import hf_xet

_BLOCK_BYTES = 1024 * 1024


def send(source: BinaryIO) -> None:
    """Read what to send and where to, and send it.

    Raises:
        RuntimeError: the CAS refused it.
    """
    told = json.loads(source.readline())
    upload = hf_xet.XetSession().new_upload_commit(
        endpoint=told["cas"], token=told["token"], token_expiry_unix_secs=told["expires"]
    )
    with upload as commit, commit.start_upload_stream(sha256=told["sha256"]) as stream:
        while block := source.read(_BLOCK_BYTES):
            stream.write(block)


if __name__ == "__main__":
    send(sys.stdin.buffer)
