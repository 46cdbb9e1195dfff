from pathlib import Path

import pytest

from hub.config.env import BadEnvironment, load


def test_an_empty_environment_makes_one_machine_work(tmp_path: Path) -> None:
    env = load({})

    assert env.data.is_absolute()
    assert env.public_url == "http://127.0.0.1:8000"
    assert env.store == f"file://{env.data}/store"
    assert not env.secure


def test_a_value_of_the_wrong_type_stops_the_start_and_names_the_variable() -> None:
    with pytest.raises(BadEnvironment, match=r"WEIGHHOUSE_PORT cannot be used: .*integer"):
        load({"WEIGHHOUSE_PORT": "eighty"})


def test_an_unknown_variable_stops_the_start() -> None:
    with pytest.raises(BadEnvironment, match="There is no variable WEIGHHOUSE_PROT"):
        load({"WEIGHHOUSE_PROT": "8000"})


def test_variables_of_others_are_none_of_our_business() -> None:
    assert load({"PORT": "eighty", "DJANGO_DEBUG": "1"}).port == 8000


def test_an_unknown_scheme_of_the_store_is_refused_clearly() -> None:
    with pytest.raises(
        BadEnvironment, match=r"WEIGHHOUSE_STORE_URL .* begin with file:// or s3://"
    ):
        load({"WEIGHHOUSE_STORE_URL": "gs://bucket"})


@pytest.mark.parametrize("url", ["s3://", "s3:///folder", "s3://bucket/a//b", "file://relative"])
def test_an_address_of_the_store_that_leads_nowhere_is_refused(url: str) -> None:
    with pytest.raises(BadEnvironment, match=r"WEIGHHOUSE_STORE_URL .* should look like"):
        load({"WEIGHHOUSE_STORE_URL": url})


def test_a_store_may_be_a_bucket() -> None:
    given = {"WEIGHHOUSE_S3_ENDPOINT": "http://s3.lan:9000/", "WEIGHHOUSE_S3_DIRECT": "false"}

    env = load({"WEIGHHOUSE_STORE_URL": "s3://bucket/folder", **given})

    assert (env.store, env.s3_endpoint) == ("s3://bucket/folder", "http://s3.lan:9000")
    assert not env.s3_direct


def test_a_key_of_s3_without_its_secret_is_refused() -> None:
    with pytest.raises(BadEnvironment, match="belong together"):
        load({"WEIGHHOUSE_S3_KEY": "key"})


def test_a_refusal_never_repeats_the_value() -> None:
    with pytest.raises(BadEnvironment) as refused:
        load({"WEIGHHOUSE_DATABASE_URL": "mysql://hub:s3cret@db/hub"})

    assert "s3cret" not in str(refused.value)


def test_a_proxy_that_is_no_address_stops_the_start() -> None:
    with pytest.raises(BadEnvironment, match="WEIGHHOUSE_TRUSTED_PROXIES cannot be used"):
        load({"WEIGHHOUSE_TRUSTED_PROXIES": "10.0.0.0/8, proxy.local"})


def test_a_list_is_words_between_commas() -> None:
    env = load({"WEIGHHOUSE_ALLOWED_HOSTS": "hub.example.org, hub.local"})

    assert env.hosts[:2] == ["hub.example.org", "hub.local"]


def test_a_secret_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from a file\n")

    env = load({"WEIGHHOUSE_SECRET_KEY_FILE": str(tmp_path / "key")})

    assert env.signing_key() == "from a file"


def test_a_missing_file_of_a_secret_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(BadEnvironment, match="WEIGHHOUSE_SECRET_KEY_FILE names a file"):
        load({"WEIGHHOUSE_SECRET_KEY_FILE": str(tmp_path / "missing")})


def test_a_value_given_directly_and_by_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("one")
    both = {"WEIGHHOUSE_SECRET_KEY": "two", "WEIGHHOUSE_SECRET_KEY_FILE": str(tmp_path / "key")}

    with pytest.raises(BadEnvironment, match="both directly and as"):
        load(both)


def test_the_signing_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    environ = {"WEIGHHOUSE_DATA": str(tmp_path / "data")}

    first, second = load(environ).signing_key(), load(environ).signing_key()

    assert first == second
    assert len(first) >= 50
    assert (tmp_path / "data" / "secret_key").stat().st_mode & 0o777 == 0o600


def test_cookies_are_secure_only_where_the_public_url_is() -> None:
    assert load({"WEIGHHOUSE_URL": "https://hub.example.org"}).secure
    assert not load({"WEIGHHOUSE_URL": "http://hub.example.org"}).secure


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WEIGHHOUSE_WEBHOOK_ALLOW_CIDRS", "10.0.0.1/8"),
        ("WEIGHHOUSE_WEBHOOK_DENY_CIDRS", "here"),
        ("WEIGHHOUSE_WEBHOOK_PORTS", "443,https"),
        ("WEIGHHOUSE_WEBHOOK_PORTS", "0"),
        ("WEIGHHOUSE_WEBHOOK_CA_BUNDLE", "/nowhere/ca.pem"),
        ("WEIGHHOUSE_WEBHOOK_PROXY", "proxy.lan:4750"),
        ("WEIGHHOUSE_WEBHOOK_PROXY", "http://proxy.lan"),
        ("WEIGHHOUSE_WEBHOOK_PROXY", "http://proxy.lan:4750/path"),
    ],
)
def test_what_webhooks_may_reach_is_checked_at_the_start(name: str, value: str) -> None:
    with pytest.raises(BadEnvironment, match=name):
        load({name: value})


def test_webhooks_know_what_the_hub_stands_on() -> None:
    env = load({"WEIGHHOUSE_DATABASE_URL": "postgresql://u:p@db/hub", "WEIGHHOUSE_BROKER_URL": ""})

    assert env.own_services == [("db", 5432)]
