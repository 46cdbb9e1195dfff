"""The product's settings on a data folder of this run; all else is as the environment says."""

import os
import tempfile
from pathlib import Path

OWN_DATA: Path | None = None

if "WEIGHHOUSE_DATA" not in os.environ:
    OWN_DATA = Path(tempfile.mkdtemp(prefix="weighhouse-tests-"))
    # Started by root, the embedded PostgreSQL runs as another user, who must be able to enter.
    OWN_DATA.chmod(0o711)
    os.environ["WEIGHHOUSE_DATA"] = str(OWN_DATA)

# A whole suite comes from one address in a few minutes.
os.environ.setdefault("WEIGHHOUSE_RATE_ANONYMOUS", "")
os.environ.setdefault("WEIGHHOUSE_RATE_USER", "")

from hub.config.settings import *  # noqa: E402, F403 - the environment comes first
