"""Attacks are found whatever they look like, honest files are let be, and doubt is never «safe»."""

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from picklescan.scanner import scan_bytes

from hub.scanning import imports
from hub.scanning.scanners import ReadRange, Scanners
from hub.scanning.secrets import PATTERNS
from hub.scanning.verdicts import Safety, Status, Verdict, worst
from tests.hub.scanning.corpus import ATTACKS, DUBIOUS, HARMLESS, OS_SYSTEM, call, text, zipped


@pytest.fixture(scope="module")
def scanners() -> Iterator[Scanners]:
    with Scanners() as running:
        yield running


def reader(raw: bytes) -> ReadRange:
    return lambda start, stop: iter([raw[start:stop]])


def scan(scanners: Scanners, raw: bytes, name: str = "") -> Verdict:
    return scanners.scan(name, len(raw), reader(raw))


@pytest.mark.parametrize("name", ATTACKS)
def test_attacks_are_unsafe(scanners: Scanners, name: str) -> None:
    verdict = scan(scanners, ATTACKS[name], name)

    assert verdict.status is Status.UNSAFE, verdict


@pytest.mark.parametrize("name", [name for name in ATTACKS if "." in name])
def test_attacks_are_never_safe_under_another_name(scanners: Scanners, name: str) -> None:
    # What is dangerous only by what loads it is told by the name of that.
    verdict = scan(scanners, ATTACKS[name], "holiday.jpg")

    by_name = {"model.onnx", "tokenizer_config.json"}
    assert verdict.status is Status.UNSAFE or name in by_name, verdict


@pytest.mark.parametrize("name", DUBIOUS)
def test_what_nobody_can_vouch_for_is_not_safe(scanners: Scanners, name: str) -> None:
    verdict = scan(scanners, DUBIOUS[name], name)

    assert verdict.status in {Status.SUSPICIOUS, Status.ERROR, Status.UNSAFE}, verdict


@pytest.mark.parametrize("name", HARMLESS)
def test_honest_files_are_safe(scanners: Scanners, name: str) -> None:
    verdict = scan(scanners, HARMLESS[name], name)

    assert verdict.status is Status.SAFE, verdict


def test_what_the_other_scanner_lets_pass_is_not_safe_here(scanners: Scanners) -> None:
    gadget = call("some.package", "run_me", protocol=4)

    assert scan_bytes(io.BytesIO(gadget), "x", ".pkl").issues_count == 0
    assert scan(scanners, gadget, "x.pkl").status is Status.SUSPICIOUS


def test_imports_are_told_with_what_they_mean(scanners: Scanners) -> None:
    verdict = scan(scanners, OS_SYSTEM, "x.pkl")

    assert [(one.module, one.name, one.safety) for one in verdict.imports] == [
        ("os", "system", Safety.DANGEROUS)
    ]


def test_members_are_named(scanners: Scanners) -> None:
    verdict = scan(scanners, zipped({"model.h5": b"\x89HDF\r\n\x1a\n" + ATTACKS["model.h5"]}))

    assert [finding.member for finding in verdict.findings] == ["model.h5"]


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("module", ["os", "subprocess", "builtins", "some.unknown"])
def test_no_protocol_hides_an_import(scanners: Scanners, protocol: int, module: str) -> None:
    head = b"" if protocol < 2 else b"\x80" + bytes([protocol])
    named = f"c{module}\nrun\n".encode() if protocol < 4 else text(module) + text("run") + b"\x93"
    verdict = scan(scanners, head + named + b"(K\x01tR.", "weights.bin")

    assert verdict.status in {Status.UNSAFE, Status.SUSPICIOUS}, verdict


def test_nothing_that_is_known_to_be_harmless_walks_on_by_a_dot() -> None:
    for module, names in imports.KNOWN.items():
        for name in names:
            assert imports.judge(module, name) is Safety.INNOCUOUS
            walked = imports.judge(module, f"{name}.__init__.__globals__")
            assert walked is not Safety.INNOCUOUS


def test_doubt_weighs_more_than_safety() -> None:
    for status in set(Status) - {Status.SAFE}:
        assert worst([Status.SAFE, status]) is status
    assert worst([]) is Status.SAFE


SAMPLES = {
    "a private key": "-----BEGIN RSA PRIVATE KEY-----",
    "an access key of AWS": "AKIA" + "A1B2" * 4,
    "a token of Hugging Face": "hf_" + "a" * 34,
    "an organisation token of Hugging Face": "api_org_" + "b" * 34,
    "a token of GitHub": "ghp_" + "c" * 36,
    "a token of GitLab": "glpat-" + "d" * 20,
    "a token of Slack": "xoxb-" + "1" * 12,
    "a webhook of Slack": "https://hooks.slack.com/services/T12345678/B12345678/" + "e" * 24,
    "an API key of Google": "AIza" + "f" * 35,
    "a secret of Google": "GOCSPX-" + "g" * 28,
    "a key of OpenAI": "sk-proj-" + "h" * 40 + "T3BlbkFJ" + "i" * 40,
    "a key of Anthropic": "sk-ant-api03-" + "j" * 95,
    "a key of Stripe": "sk_live_" + "k" * 24,
    "a key of SendGrid": "SG." + "l" * 22 + "." + "m" * 43,
    "a key of Mailgun": "key-" + "0" * 32,
    "a token of npm": "npm_" + "n" * 36,
    "a token of PyPI": "pypi-AgEIcHlwaS5vcmc" + "o" * 60,
    "a token of DigitalOcean": "dop_v1_" + "a" * 64,
    "a token of Docker": "dckr_pat_" + "p" * 27,
    "a token of Databricks": "dapi" + "1" * 32,
    "a token of Telegram": "123456789:AA" + "q" * 33,
    "a token of Twilio": "SK" + "2" * 32,
    "a storage key of Azure": "AccountKey=" + "r" * 86 + "==",
    "a key of Replicate": "r8_" + "s" * 37,
    "a key of Groq": "gsk_" + "t" * 52,
    "a token of Vault": "hvs." + "u" * 95,
    "a secret of webhooks": "whsec_" + "v" * 32,
}


@pytest.mark.parametrize("what", PATTERNS)
def test_secrets_are_found_and_not_repeated(scanners: Scanners, what: str) -> None:
    raw = f"first line\nSECRET = {SAMPLES[what]}\n".encode()

    verdict = scan(scanners, raw, "settings.env")

    assert verdict.status is Status.CAUTION
    assert any("line 2" in finding.message for finding in verdict.findings)
    assert SAMPLES[what] not in str(verdict.to_json())


def test_a_child_that_dies_has_said_nothing_good() -> None:
    with Scanners() as scanners:

        def kill(start: int, stop: int) -> Iterator[bytes]:
            child = scanners._child
            assert child is not None
            os.kill(child.pid, 9)
            child.wait()
            yield b"x" * (stop - start)

        verdict = scanners.scan("x.bin", 100, kill)

        assert verdict.status is Status.ERROR
        assert scan(scanners, b"fine").status is Status.SAFE


def test_time_ends() -> None:
    with Scanners(file_seconds=0.0) as scanners:
        assert scan(scanners, b"hello").status is Status.ERROR


def test_of_a_large_file_only_what_matters_is_read(scanners: Scanners) -> None:
    raw = ATTACKS["checkpoint.pt"]
    size = 1 << 40
    asked: list[int] = []

    def sparse(start: int, stop: int) -> Iterator[bytes]:
        asked.append(stop - start)
        at = size - len(raw)
        piece = bytearray(stop - start)
        if stop > at:
            low = max(start, at)
            piece[low - start :] = raw[low - at : stop - at]
        yield bytes(piece)

    verdict = scanners.scan("huge.bin", size, sparse)

    assert verdict.status is Status.UNSAFE
    assert sum(asked) < 4 << 20


CONFINED = """
import os, socket, sys
sys.path.append(sys.argv[1])
from hub.scanning.limits import restrict
print(restrict())
tries = {
    "open": lambda: open("/etc/hostname"),
    "write": lambda: open("/tmp/x", "w"),
    "socket": lambda: socket.socket(),
    "fork": lambda: os.fork(),
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "kill": lambda: os.kill(os.getppid(), 0),
    "grow": lambda: bytearray(2 << 30),
}
for name, attempt in tries.items():
    try:
        attempt()
        print(name, "went through")
    except (OSError, MemoryError) as refused:
        print(name, "refused")
"""


def test_the_child_can_do_nothing_but_answer() -> None:
    root = str(Path(__file__).resolve().parents[3])
    told = subprocess.run(
        [sys.executable, "-I", "-c", CONFINED, root], capture_output=True, text=True, check=False
    ).stdout.splitlines()

    assert told[0] == "True"
    assert len(told) == 8
    assert all(line.endswith("refused") for line in told[1:]), told
