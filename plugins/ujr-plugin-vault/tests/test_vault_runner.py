"""The plugin inside a runner: configured, asked, and its secrets carried to a worker."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from vault_fixtures import CANARY, Provide, fetch, forget, refusal
from vault_server import SECRET_ID, SmallVault
from vault_tasks import write_length

from ujr_core import Faults, Job, JobConfig, JobDone, Runner, SecretError, Task, hookimpl

REFERENCE = "vault:kv/weather#api_key"
GOOD = {"address": "https://vault.example.org:8200", "auth": "token", "token": {"env": "VAULT_TOKEN"}}


class Weather:
    """A job that gives its secret to one task."""

    @hookimpl
    def get_runnable_tasks(self, job: Job) -> Iterator[Task]:
        """Answer the one task."""
        yield Task(write_length, (job.params["api_key"], Path(job.params["file"])))
        raise JobDone


class Heard:
    """Hears how the jobs stand, and keeps what plugins are given to see."""

    def __init__(self) -> None:
        self.states: list[Any] = []
        self.seen: list[str] = []

    @hookimpl
    def fetch_job_details(self, job: JobConfig) -> None:
        """Look at a job as every plugin may."""
        self.seen.append(repr(job))

    @hookimpl
    def job_changed(self, job: str, state: Any) -> None:
        """Hear of a change."""
        self.states.append((job, state))


@pytest.fixture
def configured(small: SmallVault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A configuration with a job that names a secret, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    small.put("kv/weather", api_key=CANARY)
    (tmp_path / "secret_id").write_text(SECRET_ID)
    vault = {
        "address": small.address,
        "auth": "approle",
        "role_id": small.approle()[0],
        "secret_id": {"file": "secret_id"},
    }
    params = {"api_key": {"secret": REFERENCE}, "file": str(tmp_path / "out")}
    return {
        "runner": {"workers": 1, "disable_plugins": ["log"]},
        "plugins": {"vault": vault},
        "jobs": {"weather": {"plugin": "Weather", "params": params, "give_up_after": 1}},
    }


def test_a_task_gets_the_secret_that_its_job_names(configured: dict[str, Any], tmp_path: Path) -> None:
    """A runner that is configured as the README says carries the value to the worker, and shows its name alone."""
    assert Runner(configured, [Weather()]).run(until_idle=True) == 0
    assert (tmp_path / "out").read_text() == f"<Secret {REFERENCE}> {len(CANARY)}"


def test_a_job_whose_secret_is_missing_does_not_start(configured: dict[str, Any], tmp_path: Path) -> None:
    """A mistake in a reference ends in exit code 1, and nothing runs."""
    configured["jobs"]["weather"]["params"]["api_key"] = {"secret": "vault:kv/weather#key"}
    assert Runner(configured, [Weather(), Heard()]).run(until_idle=True) == 1
    assert not (tmp_path / "out").exists()


SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "plain http to elsewhere": (
        {**GOOD, "address": "http://vault.example.org:8200"},
        "http:// to another machine would show every secret to the network; write https://",
    ),
    "plain http to what is called local": (
        {**GOOD, "address": "http://localhost.example.org:8200"},
        "http:// to another machine would show every secret to the network; write https://",
    ),
    "no scheme": ({**GOOD, "address": "vault:8200"}, "an address is https://, a name, and a port if it is not 443"),
    "a path": ({**GOOD, "address": "https://v/v1"}, "an address is https://, a name, and a port if it is not 443"),
    "a bad port": (
        {**GOOD, "address": "https://v:8200x"},
        "an address is https://, a name, and a port if it is not 443",
    ),
    "a password": (
        {**GOOD, "address": "https://u:hunter2-canary@v"},
        "an address has neither a user nor anything behind the port",
    ),
    "no verification": (
        {**GOOD, "verify": False},
        "verify = false trusts whoever answers; say insecure = true if that is meant",
    ),
    "certificates for nothing": (
        {**GOOD, "verify": False, "insecure": True, "ca_file": "ca.pem"},
        "ca_file means nothing with verify = false",
    ),
    "no token": ({"auth": "token"}, 'auth = "token" needs token'),
    "no secret_id": ({"auth": "approle", "role_id": "r"}, 'auth = "approle" needs secret_id'),
    "two ways": ({**GOOD, "role_id": "r"}, 'role_id is for auth = "approle"'),
    "no way": ({"token": {"env": "VAULT_TOKEN"}}, 'token is for auth = "token"'),
    "no place": ({"auth": "token", "token": {}}, 'either "env" or "file" says where it is'),
    "two places": ({"auth": "token", "token": {"env": "A", "file": "b"}}, 'either "env" or "file" says where it is'),
    "no time": ({**GOOD, "timeout": 0}, "it is more than nothing"),
}


@pytest.mark.parametrize("mistake", SETTINGS)
def test_settings_that_cannot_be_meant_are_faults_of_the_configuration(
    mistake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are found before anything runs, in the words of the plugin, and no server is asked."""
    monkeypatch.chdir(tmp_path)
    table, text = SETTINGS[mistake]
    with pytest.raises(Faults) as caught:
        Runner({"plugins": {"vault": table}}).run(until_idle=True)
    (fault,) = caught.value.faults
    assert fault.code == "config-wrong-value"
    assert fault.what.endswith(f": {text}")
    assert "plugins.vault" in fault.where
    assert CANARY not in str(fault)


def test_a_token_does_not_stand_in_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token itself in place of where it is kept is refused, and not shown."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Faults) as caught:
        Runner({"plugins": {"vault": {**GOOD, "token": "hvs.canary"}}}).run(until_idle=True)
    (fault,) = caught.value.faults
    assert fault.code == "config-wrong-type"


TROUBLE: tuple[Any, ...] = (None, (403, {"errors": [CANARY, SECRET_ID]}), (500, [CANARY]), CANARY.encode(), (404, {}))


@pytest.mark.parametrize("trouble", TROUBLE, ids=["none", "403", "500", "garbage", "404"])
@pytest.mark.parametrize("auth", ["approle", "token"])
def test_neither_value_nor_token_is_in_anything_that_is_shown(
    small: SmallVault, provide: Provide, caplog: pytest.LogCaptureFixture, trouble: Any, auth: str
) -> None:
    """Errors, their causes, tracebacks with variables, representations and logs hold no value and no credential."""
    small.put("kv/weather", api_key=CANARY)
    provider = provide(small, auth)
    shown = [repr(provider), str(vars(provider)), repr(fetch(provider, REFERENCE))]
    small.fault = trouble
    with caplog.at_level(logging.DEBUG):
        for reference in ("vault:kv/weather#no_such_field", "vault:kv/other#f"):
            shown += _shown(refusal(provider, reference))
        forget(provider)
        if trouble:
            shown += _shown(refusal(provider, REFERENCE))
    shown += [caplog.text, repr(provider._reader)]
    assert not [text for text in shown if CANARY in text or SECRET_ID in text or "token-canary" in text]


def _shown(error: SecretError) -> list[str]:
    assert error.__cause__ is None
    assert error.__context__ is None
    frames = traceback.TracebackException.from_exception(error, capture_locals=True).format()
    return [repr(error), str(error), json.dumps(error.args), *frames]
