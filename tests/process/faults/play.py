"""A play: the real runner in this process, whose jobs are scripts that name tasks and wait for what comes of them."""

from __future__ import annotations

import itertools
import os
import pathlib
import queue
import signal
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any

import attrs

from ujr_core import Failure, Job, JobDone, Result, Runner, Task, TaskRun, hookimpl
from ujr_core.testing import Recorder

Outcome = Result | Failure
Script = Generator[list[Task], list[Outcome], None]
"""Yields tasks, and is sent their outcomes, in that order; what it does in between happens while none of them runs."""

TIMEOUT = 60.0
"""Seconds after which a task that hangs has failed."""

LIMITS = (0.5, 5.0, 50.0)
"""Seconds after which a task that is to be timed out is; the longer ones are for a machine that is very busy."""

_numbers = itertools.count()


def call(function: Callable[..., Any], *args: Any, timeout: float = TIMEOUT, **kwargs: Any) -> Task:
    """Make a task that is no other one, though it may call the same with the same."""
    number = next(_numbers)
    return Task(function, args, kwargs, signature=f"{function.__name__}-{number}", timeout=timeout)


def succeeded(outcomes: Sequence[Outcome]) -> list[Any]:
    """Return the values of runs that all succeeded."""
    for outcome in outcomes:
        assert isinstance(outcome, Result), outcome
    return [outcome.value() for outcome in outcomes if isinstance(outcome, Result)]


def failed(outcomes: Sequence[Outcome]) -> list[Failure]:
    """Return the failures of runs that all failed."""
    failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
    assert len(failures) == len(outcomes), outcomes
    return failures


def timed_out(
    function: Callable[..., Any], *args: Any, has_come: Callable[[Failure], object]
) -> Generator[list[Task], list[Outcome], Failure]:
    """Have a task end at its timeout, and return the failure; to be yielded from.

    Args:
        function: that does not end by itself.
        args: of it.
        has_come: whether it had come to where it is to be when its time was up; else it is given more.
    """
    for timeout in LIMITS:
        (failure,) = failed((yield [call(function, *args, timeout=timeout)]))
        assert failure.kind == "timeout", failure
        if has_come(failure):
            return failure
    raise AssertionError(f"{function.__name__} never came so far: {failure}")


class Ends:
    """A reporter that hands each outcome to whoever waits for it.

    No part of the plugin of the scripts: what a job's own plugin is told waits until its answer has been given.
    """

    def __init__(self) -> None:
        self._ends: dict[str, queue.Queue[Outcome]] = defaultdict(queue.Queue)

    @hookimpl
    def task_succeeded(self, run: TaskRun, result: Result) -> None:
        """Hand over a success."""
        self._ends[run.signature].put(result)

    @hookimpl
    def task_failed(self, run: TaskRun, failure: Failure) -> None:
        """Hand over a failure."""
        self._ends[run.signature].put(failure)

    def wait_end(self, task: Task) -> Outcome:
        """Wait for what comes of a task; for longer than its timeout, which says more."""
        return self._ends[task.signature].get(timeout=2 * TIMEOUT)


class Scripts:
    """A job plugin whose jobs are scripts."""

    def __init__(self, scripts: Mapping[str, Script], ends: Ends) -> None:
        self._scripts, self._ends = dict(scripts), ends
        self.errors: list[BaseException] = []

    @hookimpl
    def get_runnable_tasks(self, job: Job) -> Iterator[Task]:
        """Act as the script of the job says, once."""
        script = self._scripts.pop(job.name, None)
        if script is not None:
            try:
                yield from self._acts(script)
            except Exception as error:  # noqa: BLE001  # raised by the test, once the runner has ended
                self.errors.append(error)
                os.kill(os.getpid(), signal.SIGTERM)  # a run that never ends would keep the runner
        raise JobDone

    def _acts(self, script: Script) -> Iterator[Task]:
        try:
            tasks = next(script)
            while True:
                yield from tasks
                tasks = script.send([self._ends.wait_end(task) for task in tasks])
        except StopIteration:
            return


@attrs.frozen
class Play:
    """Runs scripts in a folder.

    Args:
        folder: of the project.
    """

    folder: pathlib.Path

    def __call__(
        self,
        *scripts: Script,
        runner: Mapping[str, Any] | None = None,
        plugins: Sequence[object] = (),
        also: Mapping[str, Mapping[str, Any]] | None = None,
        **job: Any,
    ) -> Recorder:
        """Run until every script has ended; return all that was reported.

        Args:
            scripts: each is a job of its own.
            runner: settings beside "workers", which is 2 unless given.
            plugins: more of them.
            also: tables of jobs beside the scripts.
            job: settings of each job.
        """
        recorder, ends = Recorder(), Ends()
        plugin = Scripts({f"job-{n}": script for n, script in enumerate(scripts)}, ends)
        # Given up at the first failure: a script names everything once, and means it.
        table = {"plugin": "Scripts", "give_up_after": 1, "grace": 0.2, **job}
        config = {
            "runner": {"workers": 2, "disable_plugins": ["log"], "shutdown_timeout": 1, **(runner or {})},
            "jobs": {f"job-{n}": table for n in range(len(scripts))} | dict(also or {}),
        }
        Runner(config, [recorder, ends, plugin, *plugins], discover=False).run(until_idle=True)
        for error in plugin.errors:
            raise error
        return recorder
