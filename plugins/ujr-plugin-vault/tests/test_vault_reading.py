"""What is read, and what is said of what cannot be; the small server and the real one are to agree."""

from __future__ import annotations

from typing import Any

import pytest
from vault_fixtures import CANARY, AnyVault, Provide, fetch, forget, job, refusal

from ujr_core import ProviderMisconfigured, ProviderUnavailable, SecretDenied, SecretError, SecretNotFound


@pytest.mark.parametrize("auth", ["approle", "token"])
def test_a_field_is_read_with_the_version_of_its_document(vault: AnyVault, provide: Provide, auth: str) -> None:
    """KV 2 gives the version, so that a rotation is seen; KV 1 has none; both are masked under their reference."""
    vault.put("kv/weather", api_key="first")
    vault.put("kv/weather", api_key=CANARY)
    vault.put("old/team/db", password="s3cret")
    provider = provide(vault, auth)
    new, old = fetch(provider, "vault:kv/weather#api_key"), fetch(provider, "vault:old/team/db#password")
    assert (new.reveal(), new.version, repr(new)) == (CANARY, "2", "<Secret vault:kv/weather#api_key>")
    assert (old.reveal(), old.version) == ("s3cret", None)
    assert fetch(provider, "vault:kv/weather#api_key", version=1).reveal() == "first"


def test_a_job_gets_what_it_names_and_nothing_else(vault: AnyVault, provide: Provide) -> None:
    """References of other providers are left alone, and one document may give several fields."""
    vault.put("kv/weather", user="u", api_key="k", other="o")
    config = job("vault:kv/weather#user", "env:HOME", "vault:kv/weather#api_key")
    found = provide(vault).fetch_job_details(config)
    assert [secret.reveal() for secret in found.values()] == ["u", "k"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("", ""),
        ("x", "x"),
        ("-----BEGIN KEY-----\nü\n-----END KEY-----\n", "-----BEGIN KEY-----\nü\n-----END KEY-----\n"),
        ("x" * 900_000, "x" * 900_000),
        ({"a": [1, "ü"]}, '{"a": [1, "ü"]}'),
        (5432, "5432"),
        (True, "true"),
        (None, "null"),
    ],
    ids=["empty", "short", "PEM", "long", "table", "number", "bool", "null"],
)
def test_any_value_that_vault_holds_arrives(vault: AnyVault, provide: Provide, value: Any, text: str) -> None:
    """Text arrives as it is, anything else as the JSON that it is."""
    vault.put("kv/x", field=value)
    assert fetch(provide(vault), "vault:kv/x#field").reveal() == text


@pytest.mark.parametrize("path", ["kv/a b/ü?x=1&y%2e", "/kv/x/", "kv/deep/er/x"])
def test_a_path_is_written_as_vault_itself_takes_it(vault: AnyVault, provide: Provide, path: str) -> None:
    """Whatever a path holds is no part of a URL's own grammar; slashes at the ends do not matter."""
    vault.put(path.strip("/"), f="value")
    assert fetch(provide(vault), f"vault:{path}#f").reveal() == "value"


MISTAKES: dict[str, tuple[type[SecretError], str, str, str]] = {
    "vault:kv/weather#api_kee": (
        SecretNotFound,
        "secret-not-found",
        '"kv/weather" has no field "api_kee"',
        "it has: api_key, user",
    ),
    "vault:kv/weather": (
        ProviderMisconfigured,
        "secret-misconfigured",
        'no field of "kv/weather" is named',
        'write "vault:kv/weather#api_key"; it has: api_key, user',
    ),
    "vault:kv/wetter#api_key": (
        SecretNotFound,
        "secret-not-found",
        'there is no secret "kv/wetter"',
        "see what there is: vault kv list kv",
    ),
    "vault:old/team/wetter#api_key": (
        SecretNotFound,
        "secret-not-found",
        'there is no secret "old/team/wetter"',
        "see what there is: vault kv list old/team",
    ),
    "vault:kv/data/weather#api_key": (
        SecretNotFound,
        "secret-not-found",
        'there is no secret "kv/data/weather"',
        'write "vault:kv/weather", as vault kv get takes it, without data/',
    ),
    "vault:kv/gone#f": (
        SecretNotFound,
        "secret-not-found",
        'version 1 of "kv/gone" was deleted',
        "vault kv undelete -versions=1 kv/gone",
    ),
    "vault:kv/destroyed#f": (
        SecretNotFound,
        "secret-not-found",
        'version 1 of "kv/destroyed" was destroyed',
        "write a new version",
    ),
    "vault:kv/closed#f": (
        SecretDenied,
        "secret-denied",
        'the token may not read "kv/closed"',
        'allow it: path "kv/data/closed" { capabilities = ["read"] }',
    ),
    "vault:nowhere/x#f": (
        SecretDenied,
        "secret-denied",
        'Vault shows no mount for "nowhere/x" to this token: there is none, or no policy names it',
        'correct the path, or allow it: path "nowhere/x" { capabilities = ["read"] }',
    ),
    "vault:pki/x#f": (
        ProviderMisconfigured,
        "secret-misconfigured",
        '"pki" is a mount of type "pki", and this plugin reads kv',
        "name a secret of a kv mount",
    ),
    "vault:kv#f": (
        ProviderMisconfigured,
        "secret-misconfigured",
        '"kv" is a mount, no secret',
        'name a secret of it: "vault:kv/…#field"',
    ),
    "vault:kv/../sys/raw#f": (
        ProviderMisconfigured,
        "secret-misconfigured",
        '"kv/../sys/raw" is no path of Vault',
        'write "vault:mount/path#field", as vault kv get takes it',
    ),
}


@pytest.fixture
def filled(vault: AnyVault) -> AnyVault:
    """A server with some documents, of which two are gone and one is closed."""
    vault.put("kv/weather", api_key=CANARY, user=CANARY)
    for path in ("kv/gone", "kv/destroyed", "kv/closed"):
        vault.put(path, f=CANARY)
    vault.delete("kv/gone")
    vault.destroy("kv/destroyed")
    return vault


@pytest.mark.parametrize("reference", MISTAKES)
def test_each_mistake_in_a_reference_has_its_own_words(filled: AnyVault, provide: Provide, reference: str) -> None:
    """Class, code, sentence, place and fix are those of the mistake; names of fields are shown, values never."""
    kind, code, what, fix = MISTAKES[reference]
    error = refusal(provide(filled), reference)
    assert type(error) is kind
    assert str(error) == f"error[{code}]: {what}\n  where: {reference}\n  fix:   {fix}"


OPTIONS: dict[str, tuple[str, dict[str, object], str, str]] = {
    "of no use": (
        "vault:kv/weather#user",
        {"versoin": 1},
        'a secret of vault has no option "versoin"',
        'did you mean "version"?',
    ),
    "no number": ("vault:kv/weather#user", {"version": "1"}, "version is no number from 1 on", "write version = 1"),
    "not kept": (
        "vault:old/x#f",
        {"version": 1},
        '"old" is KV version 1, which keeps no versions',
        "remove version from the reference",
    ),
    "not there": (
        "vault:kv/weather#user",
        {"version": 7},
        'there is no version 7 of "kv/weather"',
        "see what there is: vault kv metadata get kv/weather",
    ),
}


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_that_cannot_be_meant_is_refused(filled: AnyVault, provide: Provide, option: str) -> None:
    """No option is ignored: a version that is misspelt, is no number, or does not exist is said to be so."""
    reference, options, what, fix = OPTIONS[option]
    error = refusal(provide(filled), reference, **options)
    assert (error.what, error.where, error.fix) == (what, reference, fix)


def test_a_login_that_ended_is_made_anew(vault: AnyVault, provide: Provide) -> None:
    """A token that expired or was revoked costs one login, and no job sees it."""
    for path in ("kv/a", "kv/b", "kv/closed"):
        vault.put(path, f="value")
    provider = provide(vault)
    fetch(provider, "vault:kv/a#f")
    vault.revoke_logins()
    assert fetch(provider, "vault:kv/b#f").reveal() == "value"
    assert type(refusal(provider, "vault:kv/closed#f")) is SecretDenied


def test_sealed_is_unavailable_and_ends_with_the_seal(vault: AnyVault, provide: Provide) -> None:
    """A sealed server is no missing secret; once it is unsealed the same provider reads."""
    vault.put("kv/weather", api_key=CANARY)
    provider = provide(vault)
    vault.seal()
    error = refusal(provider, "vault:kv/weather#api_key")
    assert type(error) is ProviderUnavailable
    assert str(error) == (
        "error[secret-unavailable]: Vault is sealed\n  where: vault:kv/weather#api_key\n  fix:   it is tried again"
    )
    vault.unseal()
    forget(provider)
    assert fetch(provider, "vault:kv/weather#api_key").reveal() == CANARY
