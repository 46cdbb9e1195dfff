"""Names that users and organisations may have."""

import re

from teams.errors import Invalid

_WORDS = """
    accounts api assets blog buckets cas collections datasets docs events healthz jobs join
    kernels login logout models new notifications oauth organizations orgs papers pricing readyz
    scim search settings spaces startupz static status storage tasks uploads users v1 v2 weighhouse
    xet xorb xorbs shard shards chunk chunks reconstruction reconstructions robots.txt favicon.ico
"""
RESERVED = frozenset(_WORDS.split())
"""First segments of our own URLs, in lower case: nobody may be called so."""

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?", re.ASCII)


def check_name(name: str) -> str:
    """Answer ``name`` if a user or organisation may be called so.

    The rules are those of the public client's own check of repo ids, so that a name that we accept
    is never one that a client refuses.

    Raises:
        Invalid: it is not.
    """
    if not _NAME.fullmatch(name) or "--" in name or ".." in name:
        raise Invalid(
            f"{name!r} is not a valid name: use 1 to 96 letters, digits, '-', '_' and '.', "
            "starting and ending with a letter or digit, without '--' and '..'."
        )
    if name.endswith(".git") or name.lower() in RESERVED:
        raise Invalid(f"The name {name!r} is reserved.")
    return name
