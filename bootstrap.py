"""Makes `.venv` and installs what uv.lock says into it: standard library only, from Python 3.11 on.

Debian's Python comes without pip and without the part of venv that brings it. uv is one program,
published as a wheel, and a wheel is a zip file: fetched from where uv.lock says, compared with the
digest that uv.lock holds, unpacked. Where pip is at hand it does that, with its own settings.
"""

import hashlib
import io
import os
import platform
import subprocess
import sys
import tomllib
import venv
import zipfile
from importlib.util import find_spec
from pathlib import Path
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parent
HOME = ROOT / ".venv"
PYTHON = HOME / "bin" / "python"
UV = HOME / "bin" / "uv"
FETCH_SECONDS = 60


def main(groups: list[str]) -> int:
    """Install; what is there already stays, so that starting the hub never removes the tests."""
    make_home()
    command = [str(UV), "sync", "--frozen", "--inexact", "--quiet", *(groups or ["--no-dev"])]
    environ = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "UV_PROJECT_ENVIRONMENT": str(HOME)}
    return subprocess.run(command, cwd=ROOT, env=environ, check=False).returncode  # noqa: S603


def make_home() -> None:
    if UV.exists() and PYTHON.exists():
        return
    sys.stderr.write("Making .venv, once; the first start takes a minute or two.\n")
    uv = locked_uv()
    if find_spec("ensurepip"):
        venv.create(HOME, symlinks=True, with_pip=True)
        install = [str(PYTHON), "-m", "pip", "install", "--quiet", f"uv=={uv['version']}"]
        subprocess.run(install, check=True)  # noqa: S603 - a command of our own
    else:
        venv.create(HOME, symlinks=True)
        unpack(fetch(*wheel_for_this_machine(uv["wheels"])))


def locked_uv() -> dict[str, object]:
    """Answer what the lock file holds about uv: its version, and where each wheel lies."""
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    found: dict[str, object] = next(each for each in packages if each["name"] == "uv")
    return found


def wheel_for_this_machine(wheels: object) -> tuple[str, str]:
    """Answer URL and digest of the wheel for this processor and C library."""
    if not isinstance(wheels, list):
        raise TypeError("uv.lock has no list of wheels for uv")
    libc = "manylinux" if platform.libc_ver()[0] == "glibc" else "musllinux"
    for wheel in wheels:
        if libc in wheel["url"] and wheel["url"].endswith(f"_{platform.machine()}.whl"):
            return wheel["url"], wheel["hash"].removeprefix("sha256:")
    raise SystemExit(
        f"uv is not published for {platform.machine()}; install it into .venv by hand."
    )


def fetch(url: str, digest: str) -> bytes:
    with urlopen(url, timeout=FETCH_SECONDS) as answer:  # noqa: S310 - the lock file's own URL
        wheel: bytes = answer.read()
    if hashlib.sha256(wheel).hexdigest() != digest:
        raise SystemExit(f"What {url} answers is not what uv.lock promises.")
    return wheel


def unpack(wheel: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        name = next(name for name in archive.namelist() if name.endswith("/scripts/uv"))
        aside = UV.with_suffix(".new")
        aside.write_bytes(archive.read(name))
    aside.chmod(0o755)
    aside.rename(UV)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
