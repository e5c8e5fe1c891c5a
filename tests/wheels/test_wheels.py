"""What is published installs by itself: wheels in an empty environment, with nothing of this checkout in sight."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest
from vault_server import SmallVault

pytestmark = pytest.mark.wheels

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The folder of an environment with the wheels of the core and of the sample plugin."""
    folder = tmp_path_factory.mktemp("wheels")
    for project in (ROOT, ROOT / "tests" / "sample_plugin"):
        run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(project))
    run(sys.executable, "-m", "venv", str(folder / "venv"))
    wheels = map(str, folder.glob("*.whl"))
    run(str(folder / "venv/bin/python"), "-m", "pip", "install", "-q", *wheels)
    return folder / "venv"


@pytest.fixture(scope="module")
def vault_environment(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The folder of an empty environment into which the vault plugin was installed by its name."""
    folder = tmp_path_factory.mktemp("vault")
    for project in (ROOT, ROOT / "plugins" / "ujr-plugin-vault"):
        run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder / "dist"), str(project))
    run(sys.executable, "-m", "venv", str(folder / "venv"))
    links = ("--find-links", str(folder / "dist"))
    run(str(folder / "venv/bin/python"), "-m", "pip", "install", "-q", *links, "ujr-plugin-vault")
    return folder / "venv"


def run(*argv: str, cwd: pathlib.Path | None = None, **environ: str) -> str:
    """Run a command, and return what it prints; it must succeed."""
    env = os.environ | environ
    ended = subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_the_sample_plugin_is_listed_with_its_distribution(environment: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """`ujr --list-plugins` shows an installed plugin with distribution and version."""
    plugins = json.loads(run(str(environment / "bin/ujr"), "--list-plugins", "--json", cwd=tmp_path))
    (sample,) = [plugin for plugin in plugins if plugin["distribution"] == "ujr-plugin-sample"]
    assert (sample["name"], sample["status"], sample["version"]) == ("sample", "loaded", "0.3.0")
    assert "ujr-plugin-sample 0.3.0" in run(str(environment / "bin/ujr"), "--list-plugins", cwd=tmp_path)


def test_the_wheel_of_the_core_runs_what_init_writes(environment: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """The wheel holds all that `ujr init` and `ujr run` need, and its type marker."""
    run(str(environment / "bin/ujr"), "init", cwd=tmp_path)
    run(str(environment / "bin/ujr"), "run", "--until-idle", cwd=tmp_path)
    assert list(environment.glob("lib/python*/site-packages/ujr_core/py.typed"))


VAULT_CONFIG = """
[plugins.vault]
address = "{address}"
auth = "token"
token = {{ env = "UJR_TEST_TOKEN" }}

[jobs.report]
plugin = "command"
[jobs.report.params]
argv = ["sh", "-c", "printf %s $API_KEY | wc -c > length"]
env = {{ API_KEY = {{ secret = "vault:kv/weather#api_key" }} }}
"""


def test_the_vault_plugin_installs_by_its_name_and_supplies_a_secret(
    vault_environment: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """Installed with the core from wheels alone, it is listed, and a job gets its secret over HTTP."""
    ujr, server = str(vault_environment / "bin/ujr"), SmallVault()
    server.put("kv/weather", api_key="hunter2-canary")
    (tmp_path / "ujr.toml").write_text(VAULT_CONFIG.format(address=server.address))
    listed = json.loads(run(ujr, "--list-plugins", "--json", cwd=tmp_path))
    (vault,) = [plugin for plugin in listed if plugin["distribution"] == "ujr-plugin-vault"]
    assert (vault["name"], vault["status"], vault["hooks"]) == ("vault", "loaded", ["fetch_job_details"])
    run(ujr, "run", "--until-idle", cwd=tmp_path, UJR_TEST_TOKEN=server.token())
    assert (tmp_path / "length").read_text().strip() == "14"
    server.close()
