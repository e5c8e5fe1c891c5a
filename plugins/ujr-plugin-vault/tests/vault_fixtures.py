"""What the tests of this plugin share: servers, providers, jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from vault_binary import RealVault, find_binary
from vault_server import SmallVault

from ujr_core import JobConfig, Secret, SecretError, SecretRef
from ujr_plugin_vault import Vault
from ujr_plugin_vault.credential import Credential

CANARY = "hunter2-canary"
AnyVault = SmallVault | RealVault
Provide = Callable[..., Vault]


@pytest.fixture
def small() -> Iterator[SmallVault]:
    """The small server."""
    vault = SmallVault()
    yield vault
    vault.close()


@pytest.fixture
def real() -> Iterator[RealVault]:
    """The real server, if there is one."""
    binary = find_binary()
    if binary is None:
        pytest.skip("NOT TESTED AGAINST A REAL SERVER: put bao or vault on PATH, or name it in UJR_TEST_VAULT")
    vault = RealVault(binary)
    yield vault
    vault.close()


@pytest.fixture(params=["small", "real"])
def vault(request: pytest.FixtureRequest) -> AnyVault:
    """The small server, and the real one that proves it right."""
    found: AnyVault = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def provide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provide]:
    """Make a provider that logs in at a server; ``auth`` says how, further settings may be given."""
    for name in ("VAULT_ADDR", "VAULT_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    made: list[Vault] = []

    def new(server: AnyVault, auth: str = "approle", name: str = "vault", **settings: Any) -> Vault:
        proof = with_approle(server, tmp_path) if auth == "approle" else with_token(server, tmp_path)
        said = Vault.Settings(**{"address": server.address, "auth": auth, **proof, **settings})
        provider = Vault(said, name=name)
        made.append(provider)
        return provider

    yield new
    for provider in made:
        provider.close()


def with_approle(server: AnyVault, folder: Path) -> dict[str, Any]:
    """Return the settings of a login by AppRole, whose secret is in a file."""
    role_id, secret_id = server.approle()
    (folder / "secret_id").write_text(f"{secret_id}\n")
    return {"role_id": role_id, "secret_id": Credential(file=folder / "secret_id")}


def with_token(server: AnyVault, folder: Path) -> dict[str, Any]:
    """Return the settings of a login by a token in a file."""
    (folder / "token").write_text(f"{server.token()}\n")
    return {"token": Credential(file=folder / "token")}


def job(*texts: str, **options: object) -> JobConfig:
    """Return a job that names these secrets."""
    return JobConfig("j", "p", {str(index): SecretRef.parse(text, **options) for index, text in enumerate(texts)})


def fetch(provider: Vault, text: str, **options: object) -> Secret:
    """Fetch the one secret that is named."""
    (found,) = provider.fetch_job_details(job(text, **options)).values()
    return found


def refusal(provider: Vault, text: str, **options: object) -> SecretError:
    """Return the error with which a secret is refused."""
    with pytest.raises(SecretError) as caught:
        fetch(provider, text, **options)
    return caught.value


def forget(provider: Vault) -> None:
    """Have what a provider remembers of a moment ago be over, without waiting for it."""
    provider.close()
