"""A plugin of every kind at once, written against ujr-core 0.1. Never edited: see the README beside this folder."""

from __future__ import annotations

import datetime
import os
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from ujr_core import (
    Backoff,
    ConfigError,
    Failure,
    Faults,
    InternalError,
    Job,
    JobConfig,
    JobDone,
    JobState,
    JobTable,
    NextCheck,
    Node,
    Origin,
    PluginError,
    ProviderAuthFailed,
    ProviderMisconfigured,
    ProviderUnavailable,
    Result,
    Runner,
    Seconds,
    Secret,
    SecretDenied,
    SecretError,
    SecretNotFound,
    SecretRef,
    SecretTemplate,
    Start,
    StateError,
    Task,
    TaskError,
    TaskRun,
    UJRError,
    did_you_mean,
    format_duration,
    hookimpl,
    hookspecs,
    implements,
    import_function,
    printable,
    read_toml,
    scrub,
)

FIRST_BACKOFF = Backoff(first=0.5, factor=2.0, max=60.0)
ERRORS = (ConfigError, PluginError, SecretError, TaskError, StateError, InternalError, Faults)
SECRET_ERRORS = (SecretNotFound, SecretDenied, ProviderAuthFailed, ProviderMisconfigured, ProviderUnavailable)


class Everything:
    """Config source, secret provider and reporter, with settings."""

    @attrs.frozen
    class Settings:
        """What ``[plugins.Everything]`` says."""

        jobs: Path
        told: Path
        rest: Seconds = 1.0

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lines: list[str] = []

    @hookimpl
    def config_source(self, start: Start) -> Mapping[str, Mapping[str, Any] | JobTable] | None:
        assert start.folder.is_absolute()
        assert start.path is None or start.path.is_absolute()
        assert isinstance(start.environ.get("PATH", ""), str)
        document = read_toml(start.folder / self._settings.jobs)
        tables: dict[str, Mapping[str, Any] | JobTable] = {
            name: JobTable(table, document.origin.below(name)) for name, table in document.mapping.items()
        }
        assert document.origin.where().startswith(str(document.origin.source))
        assert Origin("elsewhere").where(("a", "b")) == "elsewhere"
        tables["plain"] = {"plugin": "compat_v0_1:jobs", "params": {"word": "plain"}, "enabled": False}
        return tables

    @hookimpl
    def fetch_job_details(self, job: JobConfig, node: Node) -> Mapping[SecretRef | str, object] | None:
        refs = job.secrets("Everything")
        assert set(refs) <= set(job.all_secrets())
        assert job.is_for(node)
        assert (job.check_interval, job.grace, job.backoff.factor) >= (0.0, 0.0, 1.0)
        details: dict[SecretRef | str, object] = {ref: self._secret(ref) for ref in refs}
        return details | {f"cpus of {job.name}": node.cpus}

    def _secret(self, ref: SecretRef) -> Secret:
        if ref.field is not None or ref.options:
            raise ProviderMisconfigured("secret-misconfigured", "no fields here", str(ref), "leave it out")
        if ref.path != "pass":
            fix = did_you_mean(ref.path, ["pass"])
            raise SecretNotFound("secret-not-found", f'there is no "{ref.path}"', str(ref), fix)
        return Secret("opensesame", "1", 3600.0, name=str(ref)).map(str.upper)

    @hookimpl
    def task_started(self, run: TaskRun) -> None:
        self._lines.append(f"{run.job}: {run.label} started, attempt {run.attempt}")

    @implements(hookspecs.task_succeeded)
    def succeeded(self, run: TaskRun, result: Result) -> None:
        assert result.duration >= 0
        assert result.cpu_seconds >= 0
        assert format_duration(result.duration)
        self._lines.append(f"{run.job}: {run.label} returned {result.value()}, printed {scrub(result.output).strip()}")

    @hookimpl
    def task_failed(self, failure: Failure, run: TaskRun) -> None:
        last = printable(failure.traceback.strip().splitlines()[-1])
        wait = failure.not_before is None or failure.not_before > run.started_at
        self._lines.append(f"{run.job}: {run.label} failed: {failure.kind}, {last}, {wait}, {failure.given_up}")

    @hookimpl
    def job_changed(self, job: str, state: JobState) -> None:
        assert state.since.tzinfo is not None
        self._lines.append(f"{job}: {state.kind}")

    def close(self) -> None:
        self._settings.told.write_text("\n".join(self._lines) + "\n")


class jobs:  # a job plugin may be a class with Params, named as one likes
    """A job that works on three words."""

    @attrs.frozen
    class Params:
        """What ``[jobs.<name>.params]`` says."""

        word: str
        password: Secret | None = None
        login: Secret | None = None
        every: Seconds = 60.0

    @hookimpl
    def get_runnable_tasks(self, job: Job) -> Iterator[Task | NextCheck]:
        params: Params = job.params
        yield NextCheck(after=params.every)
        yield NextCheck(at=datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1))
        assert (job.due, job.config.name, job.node.name) == (None, job.name, job.node.name)
        assert job.details[f"cpus of {job.name}"] == job.node.cpus
        yield Task(shout, (params.word, params.password), {"login": params.login}, label="shout", timeout=60.0)
        yield Task(stumble, signature="stumble")
        yield Task(import_function("compat_v0_1:shout"), ("again",), label="again")
        raise JobDone


Params = jobs.Params


class Around:
    """Wraps the asking of every job."""

    asked: list[str] = []  # noqa: RUF012  # as an author writes it

    @hookimpl(wrapper=True, tryfirst=True)
    def get_runnable_tasks(self, job: Job) -> Generator[None, Any, Any]:
        self.asked.append(job.name)
        answer = yield
        return answer


def shout(word: str, password: Secret | None = None, *, login: Secret | None = None) -> str:
    """Print and return a word, or a secret's length."""
    print(word.upper())
    lengths = [len(secret.reveal()) for secret in (password, login) if secret is not None]
    return f"{word.upper()} {lengths} {os.path.basename(os.getcwd())}"


def stumble() -> None:
    """Raise."""
    raise LookupError("no such stone")


def run(folder: Path) -> int:
    """Run one job until idle, as a script does."""
    os.chdir(folder)
    settings = {"jobs": "jobs.toml", "told": "told.txt", "rest": "2s"}
    config = {"runner": {"workers": 2}, "plugins": {"Everything": settings}}
    ref = SecretRef.parse("Everything:pass")
    assert (str(ref), SecretTemplate("{a}", (("a", ref),)).text) == ("Everything:pass", "{a}")
    assert all(issubclass(error, UJRError) for error in ERRORS + SECRET_ERRORS)
    return Runner(config, [Everything, Around(), "compat_v0_1:jobs"], discover=False).run("words")
