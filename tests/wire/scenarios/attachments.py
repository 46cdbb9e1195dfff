"""A picture goes up and is shown by a comment; releases of before know no such call."""

from pathlib import Path
from typing import Any

from tests.wire.scenarios.stage import Facts, Given, api, refusal, tell

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 1000


def story(given: Given) -> Facts:
    picture = Path(given.values["folder"], "shot.png")
    picture.write_bytes(PNG)
    url = api.upload_attachment(picture)
    repo: str = given.values["repo"]
    made: Any = api.create_discussion(repo, "It looks odd", description=f"![shot]({url})")
    false = Path(given.values["folder"], "false.gif")
    false.write_bytes(PNG)
    return {
        "address": url.removeprefix(api.endpoint),
        "shown": made.events[0].rendered,
        "false": refusal(api.upload_attachment, false),
    }


if __name__ == "__main__":
    tell(story)
