"""The broker of one machine: kombu's filesystem transport, with messages that appear whole."""

import json
import os
import time
import uuid
from pathlib import Path
from typing import Any

from kombu.transport import filesystem


class FolderChannel(filesystem.Channel):
    """kombu writes a message in the folder that readers list; one caught half written is lost."""

    def _put(self, queue: str, payload: Any, **_rest: Any) -> None:  # type: ignore[override]
        name = f"{uuid.uuid4()}.{queue}.msg"
        aside = Path(self.processed_folder) / f"{os.getpid()}-{name}.new"
        aside.write_text(json.dumps(payload))
        aside.rename(Path(self.data_folder_out) / f"{self._order()}_{name}")

    def _order(self) -> str:
        """Readers take the first name: the wall clock, since the other one restarts with us."""
        return f"{time.time_ns():020d}"


class FolderTransport(filesystem.Transport):
    """Selected by its path in Celery's settings where no broker is configured."""

    Channel = FolderChannel
