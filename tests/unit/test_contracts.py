"""Every built-in plugin, and the sample, keeps the contract that a stranger's is held to."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from ujr_core import Job, Start, Task, hookimpl
from ujr_core.testing import (
    ConfigSourceContract,
    JobContract,
    ReporterContract,
    SecretProviderContract,
    make_start,
)

SAMPLE = Path(__file__).parent.parent / "sample_plugin"


class TestToml(ConfigSourceContract):
    """The config source ``toml``."""

    plugin = "toml"

    @pytest.fixture
    def start(self, tmp_path: Path) -> Start:
        """Return a folder with a file of two jobs."""
        text = '[jobs.nightly]\nplugin = "command"\nparams.shell = "make"\n[jobs.other]\nplugin = "call"\n'
        (tmp_path / "ujr.toml").write_text(text + 'params.key = { secret = "env:KEY" }\n')
        return make_start(tmp_path)

    @pytest.fixture
    def broken_start(self, tmp_path: Path) -> Start:
        """Return a folder with a file that is cut short."""
        (tmp_path / "ujr.toml").write_text("[jobs.nightly")
        return make_start(tmp_path)


class TestEnv(SecretProviderContract):
    """The provider ``env``."""

    plugin = "env"
    known, missing = ("UJR_TEST_KNOWN", "correct-horse"), "UJR_TEST_MISSING"

    @pytest.fixture(autouse=True)
    def _variables(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("UJR_TEST_KNOWN", "correct-horse")


class TestFile(SecretProviderContract):
    """The provider ``file``."""

    plugin = "file"
    known, missing = ("password", "correct-horse"), "nothing"

    @pytest.fixture
    def settings(self, tmp_path: Path) -> dict[str, Any]:
        """Return a folder with one secret."""
        (tmp_path / "password").write_text("correct-horse\n")
        return {"folder": str(tmp_path)}

    @pytest.fixture
    def unavailable(self, tmp_path: Path) -> Callable[[], Any]:
        """Return what puts a link that leads nowhere but to itself in the place of each file."""

        @contextlib.contextmanager
        def loops() -> Iterator[None]:
            (tmp_path / "password").rename(tmp_path / "kept")
            for name in ("password", "nothing"):
                (tmp_path / name).symlink_to(name)
            yield
            for name in ("password", "nothing"):
                (tmp_path / name).unlink()
            (tmp_path / "kept").rename(tmp_path / "password")

        return loops


class TestLog(ReporterContract):
    """The reporter ``log``."""

    plugin = "log"

    # Always: what it writes as it closes would go to the terminal, where nobody captures it any more.
    @pytest.fixture(autouse=True)
    def written(self, capfd: pytest.CaptureFixture[str]) -> Callable[[], str]:
        """Return what reads stderr."""
        return lambda: capfd.readouterr().err


class TestJsonLog(TestLog):
    """The reporter ``log``, one JSON object a line."""

    settings: ClassVar = {"json": True, "level": "TRACE"}


class TestSample(ReporterContract):
    """The sample of a plugin that is a distribution of its own."""

    plugin = "ujr_plugin_sample:Sample"

    @pytest.fixture(autouse=True)
    def _path(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.syspath_prepend(str(SAMPLE))

    @pytest.fixture
    def written(self, capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
        """Return what reads stdout."""
        return lambda: capsys.readouterr().out


class TestCommand(JobContract):
    """The job plugin ``command``."""

    plugin = "command"
    params: ClassVar = {"argv": [sys.executable, "-c", "print('done')"], "env": {"KEY": {"secret": "env:UJR_TEST_KEY"}}}
    others = ("env",)

    @pytest.fixture(autouse=True)
    def _variables(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("UJR_TEST_KEY", "correct-horse")


class TestCallWithSchedule(JobContract):
    """The job plugin ``call``, once a year."""

    plugin = "call"
    params: ClassVar = {"function": "math:fsum", "args": [[1, 2]]}
    job_settings: ClassVar = {"cron": "@yearly"}


class Downloads:
    """A job plugin that uses a limit, and needs to know which day it is asked for."""

    @hookimpl
    def get_runnable_tasks(self, job: Job) -> list[Task]:
        """Answer the day."""
        assert job.due is not None
        return [Task(download, (job.due.isoformat(),), uses={"api": 2})]


def download(day: str) -> str:
    """Return the day."""
    return day


class TestDownloads(JobContract):
    """A job plugin with a schedule and a limit."""

    plugin = Downloads
    job_settings: ClassVar = {"cron": "@daily"}
    limits: ClassVar = {"api": {"concurrent": 2}}


class TestCall(JobContract):
    """The job plugin ``call``."""

    plugin = "call"
    params: ClassVar = {"function": "math:fsum", "args": [[1, 2]]}
