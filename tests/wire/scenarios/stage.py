"""What scenarios share. They run in the client's own Python and know nothing but the client."""

import hashlib
import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError

api = HfApi()
Facts = dict[str, Any]
VERSION = tuple(int(part) for part in huggingface_hub.__version__.split(".")[:2])


class Given:
    """What the test tells a scenario: who it is, and a label for the names of its repos."""

    def __init__(self, text: str) -> None:
        self.values: dict[str, Any] = json.loads(text)
        self.me: str = self.values["me"]
        self.label: str = self.values["label"]
        self.folder = Path(self.values["folder"])

    def repo(self, name: str) -> str:
        return f"{self.me}/{name}-{self.label}"


def tell(story: Callable[[Given], Facts]) -> None:
    """Play a scenario and print its facts as the last line."""
    facts = story(Given(sys.argv[1]))
    print("\n" + json.dumps(facts, default=str))


def refusal(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Facts:
    """What a user of the client sees of a refused call."""
    try:
        value = call(*args, **kwargs)
        answer = list(value) if hasattr(value, "__next__") else value
    except (HfHubHTTPError, ValueError, OSError, RuntimeError) as error:
        response = getattr(error, "response", None)
        return {
            "is": [kind.__name__ for kind in type(error).__mro__],
            "status": getattr(response, "status_code", None),
            "says": str(error),
        }
    return {"is": [], "status": 200, "says": repr(answer)}


def read(repo: str, path: str, **more: Any) -> str:
    """The text of a file, fetched into the cache."""
    return Path(api.hf_hub_download(repo, path, **more)).read_text()


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file below ``folder``, but for what the client and the hub add."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    named = {path.relative_to(folder).as_posix(): path for path in files}
    skipped = (".cache/", ".gitattributes", ".huggingface/")
    return {name: sha256(path) for name, path in named.items() if not name.startswith(skipped)}


def noise(seed: str, size: int) -> bytes:
    """Bytes that no compressor shortens, the same for the same seed."""
    made, step = random.Random(seed), 2**24
    return b"".join(made.randbytes(min(step, size - at)) for at in range(0, size, step))
