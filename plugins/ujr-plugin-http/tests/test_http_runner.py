"""The plugin inside a runner: its jobs run, its faults are told, and stop nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from document_server import DocumentServer, reply
from http_fixtures import ujr

from ujr_core import Runner
from ujr_core.project import Project

DOCUMENT = """
[jobs.touch]
plugin = "command"
params = { argv = ["touch", "touched"] }
"""


@pytest.fixture
def configured(server: DocumentServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A configuration with a document, in a folder of its own, and one job beside it."""
    monkeypatch.chdir(tmp_path)
    server.answer = reply(DOCUMENT)
    return {
        "runner": {"workers": 1, "disable_plugins": ["log"]},
        "plugins": {"http": {"url": server.url, "plugins": ["command"]}},
        "jobs": {"own": {"plugin": "command", "params": {"argv": ["touch", "own"]}}},
    }


def test_a_job_of_the_document_runs(configured: dict[str, Any], tmp_path: Path) -> None:
    """What the document names runs as if it stood in the configuration."""
    assert Runner(configured).run(until_idle=True) == 0
    assert (tmp_path / "touched").exists()
    assert (tmp_path / "own").exists()


def test_a_server_that_is_down_stops_no_other_job(
    configured: dict[str, Any], server: DocumentServer, tmp_path: Path
) -> None:
    """The runner goes on with the jobs of other sources, and the fault is told with URL and fix."""
    server.close()
    assert Runner(configured).run(until_idle=True) == 0
    assert (tmp_path / "own").exists()
    assert not (tmp_path / "touched").exists()


def test_a_check_tells_that_a_server_is_down(server: DocumentServer, tmp_path: Path) -> None:
    """What a person types to see whether all is well names URL, setting and fix."""
    (tmp_path / "ujr.toml").write_text(f'[plugins.http]\nurl = "{server.url}"\nplugins = ["*"]\n')
    server.close()
    code, text = ujr(tmp_path, "check")
    assert code == 3
    assert f'"{server.url}" cannot be reached: Connection refused' in text
    assert "see that its server runs" in text


def loaded(configured: dict[str, Any]) -> Project:
    """Return what a runner would begin with; the plugins that it loaded are closed."""
    project = Runner(configured).project
    project.registry.close(lambda error: pytest.fail(str(error)))
    return project


def test_a_fault_of_a_job_is_at_its_line(configured: dict[str, Any], server: DocumentServer) -> None:
    """A wrong setting in the document is found as one in a file is; the document is left out, and the start goes on."""
    server.answer = reply(
        DOCUMENT + "[jobs.wrong]\nplugin = 'command'\ntimeout = true\nparams = { argv = [\"true\"] }\n"
    )
    project = loaded(configured)
    assert [fault.where for fault in project.source_warnings] == [f"{server.url}:7, jobs.wrong.timeout"]
    assert (project.faults, project.snapshots["http"].state) == ((), "failed")


def test_null_is_a_wrong_type(configured: dict[str, Any], server: DocumentServer) -> None:
    """What JSON has and TOML has not is no way around the types."""
    job = '{"plugin": "command", "enabled": null, "params": {"argv": ["true"]}}'
    server.answer = reply(f'{{"jobs": {{"a": {job}}}}}', Content_Type="application/json")
    (fault,) = loaded(configured).source_warnings
    assert (fault.code, fault.where) == ("config-wrong-type", f"{server.url}, jobs.a.enabled")
