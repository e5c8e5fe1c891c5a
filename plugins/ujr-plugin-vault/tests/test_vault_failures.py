"""What is said when there is no answer, or no login: unavailable is never missing."""

from __future__ import annotations

import functools
import logging
import ssl
import subprocess
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from vault_fixtures import CANARY, Provide, fetch, forget, job, refusal
from vault_server import SmallVault

from ujr_core import ProviderAuthFailed, ProviderMisconfigured, ProviderUnavailable, SecretError
from ujr_plugin_vault import Vault
from ujr_plugin_vault.credential import Credential
from ujr_plugin_vault.recent import Recent

REFERENCE = "vault:kv/weather#api_key"


@pytest.fixture
def weather(small: SmallVault) -> SmallVault:
    """The small server with one document."""
    small.put("kv/weather", api_key=CANARY)
    return small


FAULTS: dict[str, tuple[Any, str]] = {
    "429": ((429, {"errors": ["rate limit"]}), "Vault takes no more requests just now (429)"),
    "472": ((472, {"errors": []}), "Vault answered with a status that means no answer"),
    "473": ((473, {}), "Vault answered with a status that means no answer"),
    "500": ((500, {"errors": [CANARY]}), "Vault answered with an error of its own (500)"),
    "501": ((501, {"errors": ["not initialized"]}), "Vault is not initialized (501)"),
    "502": ((502, {}), "Vault cannot be reached by what stands before it (502)"),
    "503": ((503, {"errors": [CANARY]}), "Vault is down for now (503)"),
    "504": ((504, {}), "Vault answered with a status that means no answer"),
    "412": ((412, {"errors": [CANARY]}), "Vault answered with a status that means no answer"),
    "hangs": ("hang", "Vault did not answer in time"),
    "no JSON": (f"<html>{CANARY}</html>".encode(), "Vault answered a login with what holds no token"),
    "cut JSON": (b'{"auth": {"client_token": "' + CANARY.encode(), "Vault answered a login with what holds no token"),
    "other JSON": (b'["x"]', "Vault answered a login with what holds no token"),
    "an error that is a list": ((500, [CANARY]), "Vault sent what raised AttributeError"),
    "a redirect to elsewhere": (
        (307, {"location": "http://vault.invalid/"}),
        "Vault answered a login with what holds no token",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_no_answer_is_unavailable_and_goes_away(weather: SmallVault, provide: Provide, fault: str) -> None:
    """Whatever is no answer is unavailable, in the same four parts; when it ends, the same provider reads."""
    weather.fault, what = FAULTS[fault]
    provider = provide(weather, timeout=1.0 if weather.fault == "hang" else 60.0)
    error = refusal(provider, REFERENCE)
    assert type(error) is ProviderUnavailable
    assert str(error) == f"error[secret-unavailable]: {what}\n  where: {REFERENCE}\n  fix:   it is tried again"
    weather.fault = None
    weather.released.set()
    forget(provider)
    assert fetch(provider, REFERENCE).reveal() == CANARY


@pytest.mark.parametrize("fault", [b"<html>", b'{"data": {}}', b'{"data": null}', b"[]", b""])
def test_what_is_no_secret_is_unavailable(weather: SmallVault, provide: Provide, fault: bytes) -> None:
    """Garbage in the place of a mount or of a document is unavailable, too."""
    provider = provide(weather, "token")
    weather.fault = fault
    assert refusal(provider, REFERENCE).what == "Vault answered with what is no mount"
    forget(provider)
    weather.fault = None
    fetch(provider, REFERENCE)
    weather.fault = fault
    error = refusal(provider, "vault:kv/other#f")
    assert (type(error), error.what) == (ProviderUnavailable, "Vault answered with what is no secret")


def test_a_server_that_is_not_there_is_unavailable_until_it_is(weather: SmallVault, provide: Provide) -> None:
    """A refused connection is no missing secret; the server comes up, and the provider reads."""
    provider = provide(weather)
    weather.close()
    error = refusal(provider, REFERENCE)
    assert type(error) is ProviderUnavailable
    assert error.what == "Vault cannot be reached: Connection refused"
    again = SmallVault(port=weather.port)
    again.put("kv/weather", api_key=CANARY)
    forget(provider)
    assert fetch(provider, REFERENCE).reveal() == CANARY
    again.close()


def test_a_login_that_is_refused_is_no_missing_secret(weather: SmallVault, provide: Provide, tmp_path: Path) -> None:
    """A wrong secret_id is `ProviderAuthFailed`; a new one in the file is read at the next login."""
    provider = provide(weather)
    good = (tmp_path / "secret_id").read_text()
    (tmp_path / "secret_id").write_text("wrong-canary")
    error = refusal(provider, REFERENCE)
    assert type(error) is ProviderAuthFailed
    assert str(error) == (
        'error[secret-auth-failed]: Vault refuses the role_id or the secret_id at "auth/approle"\n'
        f"  where: {REFERENCE}\n"
        "  fix:   see that both are right, and that the secret_id has not expired; both are read at every login"
    )
    (tmp_path / "secret_id").write_text(good)
    forget(provider)
    assert fetch(provider, REFERENCE).reveal() == CANARY


def test_a_token_that_is_dead_is_read_anew(weather: SmallVault, provide: Provide, tmp_path: Path) -> None:
    """A token that Vault refuses is looked for in its file again; if it is the same, the login failed."""
    provider = provide(weather, "token")
    weather.revoke_logins()
    error = refusal(provider, REFERENCE)
    assert type(error) is ProviderAuthFailed
    assert str(error) == (
        "error[secret-auth-failed]: Vault refuses its token: it has expired, or was revoked\n"
        f"  where: {REFERENCE}\n  fix:   put a new token where it is read"
    )
    (tmp_path / "token").write_text(weather.token())
    forget(provider)
    assert fetch(provider, REFERENCE).reveal() == CANARY


def test_another_way_in_is_named_in_the_settings(weather: SmallVault, provide: Provide) -> None:
    """A login at a mount that does not exist is a mistake of the settings."""
    error = refusal(provide(weather, auth_mount="elsewhere"), REFERENCE)
    assert str(error) == (
        'error[secret-misconfigured]: there is no way to log in at "auth/elsewhere"\n'
        f"  where: {REFERENCE}\n  fix:   correct auth_mount in [plugins.vault]"
    )


def test_the_namespace_goes_with_every_request(weather: SmallVault, provide: Provide) -> None:
    """The namespace of the settings, and not that of the environment, is asked."""
    fetch(provide(weather, namespace="team/a"), REFERENCE)
    assert {one.namespace for one in weather.requests} == {"team/a"}


CREDENTIALS: dict[str, tuple[type[SecretError], str, str, str]] = {
    "no variable": (
        ProviderMisconfigured,
        "secret-misconfigured",
        'token of the vault plugin is to be in the environment variable "UJR_TEST_TOKEN", which is not set',
        "set UJR_TEST_TOKEN for the runner, and restart it",
    ),
    "no file": (
        ProviderAuthFailed,
        "secret-auth-failed",
        'token of the vault plugin cannot be read from "{file}": No such file or directory',
        "write it to {file}; the file is read at every login",
    ),
    "empty file": (
        ProviderAuthFailed,
        "secret-auth-failed",
        'token of the vault plugin cannot be read from "{file}": it is empty',
        "write it to {file}; the file is read at every login",
    ),
    "binary file": (
        ProviderAuthFailed,
        "secret-auth-failed",
        'token of the vault plugin cannot be read from "{file}": it is no text',
        "write it to {file}; the file is read at every login",
    ),
}


@pytest.mark.parametrize("mistake", CREDENTIALS)
def test_a_credential_that_is_not_there_says_where_it_should_be(
    weather: SmallVault, provide: Provide, tmp_path: Path, mistake: str
) -> None:
    """A variable that is missing stays so; a file may appear. Each says where the credential was looked for."""
    kind, code, what, fix = CREDENTIALS[mistake]
    file = tmp_path / "other"
    if mistake in ("empty file", "binary file"):
        file.write_bytes(b" \n" if mistake == "empty file" else b"\xff\xfe")
    token = Credential(env="UJR_TEST_TOKEN") if mistake == "no variable" else Credential(file=file)
    error = refusal(provide(weather, "token", token=token), REFERENCE)
    assert type(error) is kind
    assert str(error) == f"error[{code}]: {what}\n  where: {REFERENCE}\n  fix:   {fix}".replace("{file}", str(file))


def test_what_lies_about_is_not_used(
    weather: SmallVault, provide: Provide, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """VAULT_TOKEN and ~/.vault-token are left alone unless they are configured, by the secret_id that was asked for."""
    monkeypatch.setenv("VAULT_TOKEN", "stray-canary")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    (tmp_path / ".vault-token").write_text("stray-canary")
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login stray password canary")
    assert fetch(provide(weather), REFERENCE).reveal() == CANARY
    assert "stray-canary" not in {one.token for one in weather.requests}
    assert weather.requests[0].token == ""
    monkeypatch.setenv("VAULT_TOKEN", weather.token())
    assert fetch(provide(weather, "token", token=Credential(env="VAULT_TOKEN")), REFERENCE).reveal() == CANARY


def test_twenty_jobs_and_one_path_are_one_login_and_one_read(weather: SmallVault, provide: Provide) -> None:
    """Jobs that start together share login, mount and document, whether there is an answer or not."""
    provider = provide(weather)
    for expected in ("api_key", "no_such_field"):
        config = job(f"vault:kv/weather#{expected}")
        results = at_once(20, functools.partial(provider.fetch_job_details, config))
        assert len(results) == 20
    assert [one.path for one in weather.requests] == [
        "/v1/auth/approle/login",
        "/v1/sys/internal/ui/mounts/kv/weather",
        "/v1/kv/data/weather",
    ]


def test_twenty_jobs_do_not_keep_a_server_down(weather: SmallVault, provide: Provide) -> None:
    """One login that fails is the answer for all who wanted one, each with its own reference."""
    weather.seal()
    provider = provide(weather)
    errors = [refusal(provider, f"vault:kv/{number}#f") for number in range(20)]
    assert {str(error.where) for error in errors} == {f"vault:kv/{number}#f" for number in range(20)}
    assert len(weather.requests) == 1


def test_a_second_instance_answers_and_advises_under_its_own_name(weather: SmallVault, provide: Provide) -> None:
    """Two Vaults are two instances: each answers its own references, and says what to write of its own."""
    provider = provide(weather, name="vault-b")
    assert fetch(provider, "vault-b:kv/weather#api_key").reveal() == fetch(provide(weather), REFERENCE).reveal()
    assert refusal(provider, "vault-b:kv/data/weather#api_key").fix == (
        'write "vault-b:kv/weather", as vault kv get takes it, without data/'
    )
    assert provider.fetch_job_details(job(REFERENCE)) == {}


def test_a_mount_is_looked_at_once(weather: SmallVault, provide: Provide) -> None:
    """Which version of KV a mount has is asked for once, however many documents are read."""
    provider = provide(weather)
    for number in range(5):
        weather.put(f"kv/{number}", f="value")
        fetch(provider, f"vault:kv/{number}#f")
    assert weather.count("sys/internal/ui/mounts") == 1


def test_a_mount_is_looked_at_again_when_a_document_is_missing(weather: SmallVault, provide: Provide) -> None:
    """A mount may have been made version 2 meanwhile, and then nothing is found where it was."""
    provider = provide(weather)
    fetch(provider, REFERENCE)
    refusal(provider, "vault:kv/missing#f")
    refusal(provider, "vault:kv/absent#f")
    assert weather.count("sys/internal/ui/mounts") == 2


def test_a_job_without_secrets_of_vault_asks_nothing() -> None:
    """A plugin that is installed and not configured disturbs no job that does not need it."""
    provider = Vault(Vault.Settings())
    assert provider.fetch_job_details(job("env:HOME")) == {}
    error = refusal(provider, REFERENCE)
    assert str(error) == (
        "error[secret-misconfigured]: the vault plugin has no address\n"
        f'  where: {REFERENCE}\n  fix:   set address = "https://…" in [plugins.vault]'
    )


def test_an_answer_is_good_for_a_moment_and_a_refusal_too() -> None:
    """Within its seconds what was fetched is not fetched again; after them it is, and an old refusal is forgotten."""
    now, fetched = [0.0], []
    recent: Recent[str, int] = Recent(1.0, lambda: now[0])

    def count() -> int:
        fetched.append(now[0])
        if len(fetched) == 1:
            raise ValueError("the first time")
        return len(fetched)

    for moment in (0.0, 0.9):
        now[0] = moment
        with pytest.raises(ValueError, match="the first time"):
            recent.get("a", count)
    now[0] = 1.0
    assert recent.get("a", count) == recent.get("a", count) == 2
    assert fetched == [0.0, 1.0]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody else has signed, with its key."""
    file = tmp_path / "server.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=small"
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(tmp_path / "key"), "-out", str(file)]
    try:
        subprocess.run([*command.split(), *names], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl makes the certificate, and is not there")
    file.write_text((tmp_path / "key").read_text() + file.read_text())
    return file


@pytest.fixture
def secure(certificate: Path) -> Iterator[SmallVault]:
    """The small server behind TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = SmallVault(context)
    server.put("kv/weather", api_key=CANARY)
    yield server
    server.close()


def test_a_certificate_is_trusted_if_it_is_configured(secure: SmallVault, provide: Provide, certificate: Path) -> None:
    """A certificate of one's own is refused with its fix, and taken with ca_file."""
    error = refusal(provide(secure), REFERENCE)
    assert type(error) is ProviderMisconfigured
    assert str(error) == (
        "error[secret-misconfigured]: the certificate of Vault is not trusted: self-signed certificate\n"
        f"  where: {REFERENCE}\n  fix:   set ca_file in [plugins.vault] to the certificates that signed it"
    )
    assert fetch(provide(secure, ca_file=certificate), REFERENCE).reveal() == CANARY


def test_a_file_of_certificates_that_is_not_there_is_said(secure: SmallVault, provide: Provide) -> None:
    """A misspelt ca_file is a mistake of the settings, not a server that is down."""
    error = refusal(provide(secure, ca_file=Path("/no/such.pem")), REFERENCE)
    assert str(error) == (
        'error[secret-misconfigured]: there is no file of certificates "/no/such.pem"\n'
        f"  where: {REFERENCE}\n  fix:   correct ca_file"
    )


def test_no_verification_is_warned_of_at_each_login(
    secure: SmallVault, provide: Provide, caplog: pytest.LogCaptureFixture
) -> None:
    """verify = false works if it is meant, and is not forgotten: each login says what it means."""
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        provider = provide(secure, verify=False, insecure=True)
        fetch(provider, REFERENCE)
        forget(provider)
        fetch(provider, REFERENCE)
    text = "verify = false in [plugins.vault]: whoever is between here and Vault can read the token and every secret"
    assert [record.message for record in caplog.records if record.name.startswith("ujr")] == [text, text]


def at_once(count: int, call: Callable[[], object]) -> list[object]:
    """Call a function on several threads that start together; return what each returned or raised."""
    barrier, results = threading.Barrier(count), list[object]()

    def one() -> None:
        barrier.wait()
        try:
            results.append(call())
        except SecretError as error:
            results.append(error)

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
