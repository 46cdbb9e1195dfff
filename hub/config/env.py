"""The environment, typed: every `WEIGHHOUSE_…` variable; a bad or unknown one stops the start."""

import ipaddress
import os
import secrets
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote, unquote, urlsplit

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from hub.outgoing.addresses import networks

PREFIX = "WEIGHHOUSE_"
_FILE = "_FILE"
_MOST_DIGITS = 10


class BadEnvironment(SystemExit):
    """The environment asks for something that cannot be; its text is a sentence for people."""


def _is_natural(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < _MOST_DIGITS


def _words(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(word.strip() for word in value.split(",") if word.strip())


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)]


class Env(BaseSettings):
    """What an operator may say; unset, each value makes one machine work."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, hide_input_in_errors=True)

    data: Path = Path(".data")
    bind: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    url: str = ""
    allowed_hosts: Words = ()
    trusted_proxies: Words = ("127.0.0.1", "::1")
    secret_key: str = Field(default="", repr=False)
    debug: bool = False

    database_url: str = Field(default="", repr=False)
    # How many connections the threads of one process share; 0: each thread keeps its own.
    database_pool: int = Field(default=0, ge=0, le=512)
    broker_url: str = Field(default="", repr=False)
    cache_url: str = Field(default="", repr=False)
    store_url: str = ""
    s3_endpoint: str = ""
    # Where clients reach the same server, if that is another address.
    s3_public_endpoint: str = ""
    s3_region: str = "us-east-1"
    s3_key: str = Field(default="", repr=False)
    s3_secret: str = Field(default="", repr=False)
    # Whether clients fetch and send large files there themselves; else all of it goes through us.
    s3_direct: bool = True
    accel_prefix: str = ""

    web_workers: int = Field(default=2, ge=1, le=64)
    web_threads: int = Field(default=32, ge=1, le=512)
    worker_concurrency: int = Field(default=2, ge=1, le=256)
    # How many jobs that take minutes run at a time.
    heavy_concurrency: int = Field(default=1, ge=1, le=256)
    max_json_bytes: int = Field(default=16 * 2**20, ge=2**16)
    max_file_bytes: int = Field(default=500 * 2**30, ge=2**20)
    # Larger files that come by LFS come in parts, if the client knows how to send them.
    lfs_multipart_from: int = Field(default=5 * 2**30, ge=0)
    lfs_part_bytes: int = Field(default=512 * 2**20, ge=2**10)

    # Whether workers make xorbs of large files that came by LFS.
    convert_to_xet: bool = False
    # Where workers reach web: on one machine as nobody else does, past any proxy.
    internal_url: str = ""

    # Where an inference worker listens for web, and how many bytes its models may hold; 0: it
    # chooses.
    line_bind: str = "127.0.0.1"
    line_port: int = Field(default=0, ge=0, le=65535)
    model_memory: int = Field(default=0, ge=0)
    # How many bytes of models it keeps on its disk; 0: any.
    models_bytes: int = Field(default=100 * 2**30, ge=0)

    # Networks of our own, such as a CI server's, to which webhooks may go; and those they may not.
    webhook_allow_cidrs: Words = ()
    webhook_deny_cidrs: Words = ()
    webhook_ports: Words = ("80", "443", "8080", "8443")
    webhook_require_https: bool = True
    # Through which everything goes that is sent to addresses that users name.
    webhook_proxy: str = ""
    # Certificates that are trusted beside the system's.
    webhook_ca_bundle: Path | None = None
    # Encrypts what webhooks hold; the first one is used, all are tried. None: the signing key.
    webhook_keys: Words = Field(default=(), repr=False)

    # How many requests of each kind a caller may send in five minutes; empty: any number.
    rate_anonymous: Words = ("api=5000", "resolvers=30000", "pages=1000")
    rate_user: Words = ("api=10000", "resolvers=50000", "pages=2000")

    # How many bytes the repos of a user or organisation may hold, if nothing else is said; 0: any.
    quota_user: int = Field(default=0, ge=0)
    quota_organisation: int = Field(default=0, ge=0)

    # Hosts of identity providers that organisations may sign their members in by.
    sso_hosts: Words = ()

    # What signs the audit log; the first one is used, all are tried. None: the signing key.
    audit_keys: Words = Field(default=(), repr=False)
    # After how many days entries of the audit log are removed; 0: never.
    audit_days: int = Field(default=0, ge=0)

    # smtp://user:password@host:587 (STARTTLS), smtps://…:465, or smtp+plain://… without TLS.
    mail_url: str = Field(default="", repr=False)
    mail_from: str = ""

    # What becomes of files by what scanners say of them; organisations may be stricter.
    scan_policy: Literal["warn", "quarantine", "block"] = "warn"
    # The socket of ClamAV's daemon, if files are to be shown to it too.
    clamd_socket: Path | None = None

    log_format: Literal["json", "console"] = "json"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    # Only the tests read it: where it is set, a missing server fails a test instead of skipping it.
    ci: bool = False

    @field_validator("data")
    @classmethod
    def _data_is_absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("url", "internal_url")
    @classmethod
    def _url_is_an_origin(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in {"http", "https"} or not parts.hostname):
            raise ValueError("it should look like https://hub.example.org")
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("it should have no path: the hub answers at the root of its host")
        return value.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _database_is_postgresql(cls, value: str) -> str:
        return _with_scheme(value, {"postgres", "postgresql"})

    @field_validator("broker_url", "cache_url")
    @classmethod
    def _queue_and_cache_are_redis(cls, value: str) -> str:
        return _with_scheme(value, {"redis", "rediss"})

    @field_validator("store_url")
    @classmethod
    def _store_is_a_folder_or_a_bucket(cls, value: str) -> str:
        value = _with_scheme(value, {"file", "s3"})
        parts = urlsplit(value)
        if parts.scheme == "file" and not parts.path.startswith("/"):
            raise ValueError("it should look like file:///srv/weighhouse/store")
        if parts.scheme == "s3" and (not parts.netloc or "//" in parts.path):
            raise ValueError("it should look like s3://bucket or s3://bucket/folder")
        return value

    @field_validator("s3_endpoint", "s3_public_endpoint")
    @classmethod
    def _endpoint_is_http(cls, value: str) -> str:
        return _with_scheme(value, {"http", "https"}).rstrip("/")

    @field_validator("accel_prefix")
    @classmethod
    def _prefix_is_a_folder(cls, value: str) -> str:
        if value and not (value.startswith("/") and value.endswith("/")):
            raise ValueError("it should begin and end with a slash, such as /_store/")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies_are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in value:
            if proxy != "*":
                ipaddress.ip_network(proxy, strict=False)
        return value

    @field_validator("webhook_allow_cidrs", "webhook_deny_cidrs")
    @classmethod
    def _cidrs_are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        networks(value)
        return value

    @field_validator("rate_anonymous", "rate_user")
    @classmethod
    def _rates_name_what_is_counted(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for rate in value:
            bucket, _, quota = rate.partition("=")
            if bucket not in {"api", "resolvers", "pages"} or not _is_natural(quota):
                raise ValueError("it should look like api=5000,resolvers=30000,pages=1000")
        return value

    @field_validator("webhook_ports")
    @classmethod
    def _ports_are_numbers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(port.isascii() and port.isdigit() and 0 < int(port) < 1 << 16 for port in value):
            raise ValueError("it should look like 443,8443")
        return value

    @field_validator("webhook_proxy")
    @classmethod
    def _proxy_has_host_and_port(cls, value: str) -> str:
        parts = urlsplit(_with_scheme(value, {"http"}))
        if (value and not (parts.hostname and parts.port)) or parts.path.strip("/"):
            raise ValueError("it should look like http://proxy.lan:4750")
        return value

    @field_validator("mail_url")
    @classmethod
    def _mail_goes_by_smtp(cls, value: str) -> str:
        if value and not urlsplit(_with_scheme(value, {"smtp", "smtps", "smtp+plain"})).hostname:
            raise ValueError("it should look like smtp://user:password@mail.lan:587")
        return value

    @model_validator(mode="after")
    def _mail_comes_from_somebody(self) -> Self:
        if self.mail_url and "@" not in self.mail_from:
            raise ValueError("WEIGHHOUSE_MAIL_URL needs WEIGHHOUSE_MAIL_FROM, an address")
        return self

    @field_validator("webhook_ca_bundle")
    @classmethod
    def _bundle_is_there(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError("there is no such file")
        return value

    @model_validator(mode="after")
    def _key_and_secret_come_together(self) -> Self:
        if bool(self.s3_key) != bool(self.s3_secret):
            raise ValueError("WEIGHHOUSE_S3_KEY and WEIGHHOUSE_S3_SECRET belong together")
        return self

    @staticmethod
    def rates(words: Words) -> dict[str, int]:
        """Bucket to requests in five minutes."""
        return {name: int(quota) for name, _, quota in (word.partition("=") for word in words)}

    @property
    def public_url(self) -> str:
        """Where people reach this hub: the origin in every link that we write."""
        return self.url or f"http://{self._own_name}:{self.port}"

    @property
    def _own_name(self) -> str:
        if self.bind in {"127.0.0.1", "localhost", "::1"}:
            return "127.0.0.1"
        return socket.gethostname() if self.bind in {"0.0.0.0", "::"} else self.bind  # noqa: S104

    @property
    def web_url(self) -> str:
        """Where our own workers reach web."""
        everywhere = {"0.0.0.0", "::", "::1", "localhost"}  # noqa: S104
        name = "127.0.0.1" if self.bind in everywhere else self.bind
        return self.internal_url or f"http://{name}:{self.port}"

    @property
    def hosts(self) -> list[str]:
        """The names under which we answer; loopback is always one, for health checks."""
        public = urlsplit(self.public_url).hostname or "localhost"
        own = urlsplit(self.web_url).hostname or "localhost"
        return [*(self.allowed_hosts or (public,)), own, "127.0.0.1", "localhost", "[::1]"]

    @property
    def mail(self) -> dict[str, Any]:
        """The server that takes our letters; no host where none was named."""
        parts = urlsplit(self.mail_url)
        usual = {"smtp": 587, "smtps": 465, "smtp+plain": 25}
        return {
            "host": parts.hostname or "",
            "port": parts.port or usual.get(parts.scheme, 0),
            "user": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            "tls": parts.scheme == "smtps",
            "starttls": parts.scheme == "smtp",
            "sender": self.mail_from,
        }

    @property
    def secure(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def store(self) -> str:
        return self.store_url or f"file://{quote(str(self.data / 'store'))}"

    @property
    def broker_folder(self) -> Path:
        return self.data / "broker"

    @property
    def webhook_proxy_address(self) -> tuple[str, int] | None:
        parts = urlsplit(self.webhook_proxy)
        return (parts.hostname, parts.port) if parts.hostname and parts.port else None

    @property
    def own_services(self) -> list[tuple[str, int]]:
        """Host and port of what the hub itself stands on, where they are URLs."""
        given = (self.database_url, self.broker_url, self.cache_url, self.s3_endpoint)
        usual = {"postgres": 5432, "postgresql": 5432, "redis": 6379, "rediss": 6379, "http": 80}
        parts = [urlsplit(url) for url in given if url]
        return [
            (one.hostname, one.port or usual.get(one.scheme, 443)) for one in parts if one.hostname
        ]

    def signing_key(self) -> str:
        """The given key, or one that is made once and kept beside the data."""
        if self.secret_key:
            return self.secret_key
        home = self.data / "secret_key"
        if not home.exists():
            self._make_key(home)
        return home.read_text().strip()

    def _make_key(self, home: Path) -> None:
        self.data.mkdir(mode=0o711, parents=True, exist_ok=True)
        aside = home.with_name(f"secret_key.{os.getpid()}")
        aside.touch(mode=0o600)
        aside.write_text(secrets.token_urlsafe(50))
        # Web, worker and beat may start together on fresh data: a link never replaces the first.
        try:
            home.hardlink_to(aside)
        except FileExistsError:
            return
        finally:
            aside.unlink()


def _with_scheme(value: str, known: set[str]) -> str:
    if value and urlsplit(value).scheme not in known:
        listed = " or ".join(f"{scheme}://" for scheme in sorted(known))
        raise ValueError(f"it should begin with {listed}")
    return value


def load(environ: Mapping[str, str] = os.environ) -> Env:
    """Read the environment once; stop with a sentence where it cannot be meant."""
    given = {name: text for name, text in environ.items() if name.startswith(PREFIX)}
    values = {_field(name): _text(name, text) for name, text in given.items() if text}
    if len(values) != len([text for text in given.values() if text]):
        raise BadEnvironment("A WEIGHHOUSE_… variable is given both directly and as …_FILE.")
    try:
        return Env.model_validate(values)
    except ValidationError as bad:
        raise BadEnvironment(_sentence(bad)) from None


def _field(name: str) -> str:
    field = name.removeprefix(PREFIX).removesuffix(_FILE).lower()
    if field not in Env.model_fields or not name.isupper():
        known = ", ".join(PREFIX + known.upper() for known in Env.model_fields)
        raise BadEnvironment(f"There is no variable {name}. Known are: {known}; or any with _FILE.")
    return field


def _text(name: str, text: str) -> str:
    if not name.endswith(_FILE):
        return text
    try:
        return Path(text).read_text().strip()
    except (OSError, UnicodeDecodeError) as reason:
        raise BadEnvironment(f"{name} names a file that cannot be read: {reason}.") from None


def _sentence(bad: ValidationError) -> str:
    lines = []
    for error in bad.errors(include_input=False, include_url=False, include_context=False):
        name = PREFIX + str(error["loc"][0]).upper() if error["loc"] else "The environment"
        lines.append(f"{name} cannot be used: {error['msg'].removeprefix('Value error, ')}.")
    return "\n".join(lines)
