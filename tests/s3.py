"""S3 servers for tests: moto in this process, and Ceph's RADOS Gateway as Debian ships it.

The gateway is the real thing: it checks signatures, enforces conditions and keeps what it took. One
monitor, one storage daemon and the gateway run on loopback, in a folder of their own. moto believes
every signature; it is there to be fast.
"""

import json
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock, Thread
from typing import Any
from uuid import uuid4

import boto3
from botocore.config import Config
from pytest_django.fixtures import Settings

from hub.config.children import Child
from hub.storage.s3_access import S3Address
from tests.live import free_port, wait_until
from tests.wire.clients import missing

START_SECONDS = 90.0
DISK_BYTES = 20 * 2**30
"""How large the storage daemon believes its disk is; the file is sparse."""
_NUMBERS = count(1)
_CONFIG = """\
[global]
fsid = {fsid}
mon host = v2:127.0.0.1:{mon}
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms cluster mode = crc
ms client mode = crc
ms service mode = crc
ms mon cluster mode = crc
ms mon client mode = crc
ms mon service mode = crc
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
mon data = {home}/mon
mon data avail crit = 1
mon data avail warn = 1
osd data = {home}/osd
osd objectstore = bluestore
bluestore block size = {disk}
bluestore block create = true
osd memory target = 939524096
run dir = {home}/run
log file = {home}/log/$name.log
admin socket = {home}/run/$name.asok
rgw data = {home}/rgw
rgw frontends = beast endpoint=127.0.0.1:{rgw}
rgw bucket quota ttl = 0
"""


@dataclass(frozen=True, slots=True)
class S3Server:
    """A server, and as whom to come."""

    endpoint: str
    key: str
    secret: str

    def client(self) -> Any:
        return boto3.session.Session().client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
            config=Config(s3={"addressing_style": "path"}),
        )

    def bucket(self) -> S3Address:
        """A new bucket of this server; what is ours in it lies below a folder."""
        name = f"bucket-{os.getpid()}-{next(_NUMBERS)}"
        self.client().create_bucket(Bucket=name)
        return S3Address(
            bucket=name, prefix="hub/", endpoint=self.endpoint, key=self.key, secret=self.secret
        )

    def use(self, settings: Settings) -> None:
        """Let the product's settings name a new bucket as its store."""
        address = self.bucket()
        settings.STORE_URL = f"s3://{address.bucket}/{address.prefix}"
        settings.S3 = {
            "endpoint": address.endpoint,
            "public_endpoint": "",
            "region": address.region,
            "key": address.key,
            "secret": address.secret,
        }

    def environ(self) -> dict[str, str]:
        """A new bucket, as an operator would name it to the product."""
        address = self.bucket()
        return {
            "WEIGHHOUSE_STORE_URL": f"s3://{address.bucket}/{address.prefix}",
            "WEIGHHOUSE_S3_ENDPOINT": address.endpoint,
            "WEIGHHOUSE_S3_KEY": address.key,
            "WEIGHHOUSE_S3_SECRET": address.secret,
        }


@contextmanager
def moto_server() -> Iterator[S3Server]:
    """A double of S3, in threads of this process, one request at a time.

    Left alone it looks whether an object is there and writes it in two steps: two threads may then
    both be first.
    """
    # Slow to import, and few tests need them.
    from moto.moto_server.werkzeug_app import (  # noqa: PLC0415
        DomainDispatcherApplication,
        create_backend_app,
    )
    from werkzeug.serving import WSGIRequestHandler, make_server  # noqa: PLC0415

    app, alone = DomainDispatcherApplication(create_backend_app), Lock()

    def one_at_a_time(environ: Any, start_response: Any) -> list[bytes]:
        with alone:
            return list(app(environ, start_response))

    class Quiet(WSGIRequestHandler):
        def log(self, *_message: object) -> None:
            pass

    server = make_server("127.0.0.1", 0, one_at_a_time, threaded=True, request_handler=Quiet)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield S3Server(f"http://127.0.0.1:{server.port}", "moto", "moto")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def rados_gateway() -> Iterator["RadosGateway"]:
    """Ceph's gateway with a cluster of one; all of it ends with the context."""
    with TemporaryDirectory(prefix="weighhouse-ceph-") as folder, ExitStack() as daemons:
        cluster = _Cluster(Path(folder))
        cluster.start(daemons)
        yield RadosGateway(cluster)


class RadosGateway:
    """The running gateway: its standing user, and further ones with a quota."""

    def __init__(self, cluster: "_Cluster") -> None:
        self._cluster = cluster
        self.server = self.user()

    def user(self, *, bucket_bytes: int | None = None) -> S3Server:
        """Somebody new; each bucket of theirs takes at most so many bytes."""
        name = f"user{next(_NUMBERS)}"
        told = self._cluster.admin("user", "create", f"--uid={name}", f"--display-name={name}")
        if bucket_bytes is not None:
            quota = f"--uid={name}", "--quota-scope=bucket"
            self._cluster.admin("quota", "set", *quota, f"--max-size={bucket_bytes}")
            self._cluster.admin("quota", "enable", *quota)
        keys = json.loads(told)["keys"][0]
        return S3Server(self._cluster.endpoint, keys["access_key"], keys["secret_key"])


class _Cluster:
    def __init__(self, home: Path) -> None:
        self._home = home
        self._fsid = str(uuid4())
        self._config = home / "ceph.conf"
        self._mon, port = free_port(), free_port()
        self.endpoint = f"http://127.0.0.1:{port}"
        for name in ("mon", "osd", "log", "run", "rgw"):
            (home / name).mkdir()
        self._config.write_text(
            _CONFIG.format(fsid=self._fsid, mon=self._mon, rgw=port, home=home, disk=DISK_BYTES)
        )

    def start(self, daemons: ExitStack) -> None:
        monmap = str(self._home / "monmap")
        at = f"[v2:127.0.0.1:{self._mon}]"
        self._run("monmaptool", "--create", "--addv", "a", at, "--fsid", self._fsid, monmap)
        self._run("ceph-mon", "--id", "a", "--mkfs", "--monmap", monmap)
        daemons.enter_context(self._daemon("ceph-mon", "--id", "a"))
        # The name of the disk is the one that the monitor was told of it.
        self._run("ceph", "--connect-timeout", "60", "osd", "new", self._fsid)
        self._run("ceph", "osd", "crush", "add", "osd.0", "1", "root=default")
        self._run("ceph-osd", "--id", "0", "--mkfs", "--osd-uuid", self._fsid)
        daemons.enter_context(self._daemon("ceph-osd", "--id", "0"))
        wait_until(self._has_disk, START_SECONDS, "Ceph's storage daemon")
        daemons.enter_context(self._daemon("radosgw", "-n", "client.rgw"))
        wait_until(self._answers, START_SECONDS, "Ceph's gateway")

    def admin(self, *arguments: str) -> str:
        return self._run("radosgw-admin", *arguments)

    def _has_disk(self) -> bool:
        status = json.loads(self._run("ceph", "osd", "stat", "--format", "json"))
        up: int = status["num_up_osds"]
        return up == 1

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.endpoint, timeout=5) as answer:  # noqa: S310 - ours
                answer.read()
        except OSError:
            time.sleep(0.1)
            return False
        return True

    def _run(self, program: str, *arguments: str) -> str:
        command = [_program(program), "-c", str(self._config), *arguments]
        if program == "monmaptool":
            command = [_program(program), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    @contextmanager
    def _daemon(self, program: str, *arguments: str) -> Iterator[None]:
        log = self._home / "log" / f"{program}.out"
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        command = [_program(program), "-c", str(self._config), *arguments, "-f"]
        child = Child(program, command, {"PATH": os.defpath, "LC_ALL": "C"}, log_to=output)
        child.start()
        try:
            yield
        finally:
            os.close(output)
            if child.process is not None:
                # The folder goes with it: nothing has to be put in order first.
                child.process.kill()
                child.process.wait()


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if found is None:
        missing(f"Debian's {name} is not installed (packages ceph-mon, ceph-osd, radosgw)")
    return str(found)
