"""The whole contract between the runner and its plugins: every hook, on one page.

A plugin is a module, a class or an object with functions of these names, each marked with `hookimpl`. It may take
fewer arguments than a hook has, under the same names. The runner calls each plugin alone, in the order of names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar, cast, overload

import pluggy

from ujr_core.secret import SecretRef
from ujr_core.values import (
    Failure,
    Job,
    JobConfig,
    JobState,
    JobTable,
    NextCheck,
    Node,
    Result,
    Start,
    Task,
    TaskRun,
)

if TYPE_CHECKING:  # it takes milliseconds, and most plugins have no executor
    import concurrent.futures

    from ujr_core.executoroffer import ExecutorOffer

PROJECT = "ujr"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

# Report hooks are called directly, each reporter on a thread of its own: they take neither wrappers nor order marks.
REPORT_HOOKS = ("task_started", "task_succeeded", "task_failed", "job_changed")


@hookspec
def config_source(start: Start) -> Mapping[str, Mapping[str, Any] | JobTable] | None:
    """Say which jobs should exist.

    Called: in the runner, before anything runs; also by ``ujr check`` and ``ujr list``. Never in a worker.
    Arguments:
        start: the configuration file, its folder, and the environment.
    Return: job name to job table, or to a `JobTable` that knows where it was written; None for nothing. One job
        from two sources is an error naming both.
    If you raise: the runner runs without this source and says so; ``ujr check`` fails. Other sources count. So it
        is if you have not answered within ``fetch_timeout`` of ``[runner]``.
    Example:
        >>> @hookimpl
        ... def config_source(start):
        ...     return {"nightly": {"plugin": "command", "params": {"argv": ["make", "report"]}}}
    """


@hookspec
def fetch_job_details(job: JobConfig, node: Node) -> Mapping[SecretRef | str, object] | None:
    """Supply details that a job needs before it starts.

    Called: in the runner, of every plugin, on a thread of its own, before a job starts. Never in a worker.
    Arguments:
        job: the job as configured; secrets stand in its params as ``SecretRef``, ``job.secrets(name)`` lists those
            of one provider.
        node: the machine this runner is on.
    Return: for each reference this plugin answers, its ``Secret``; for anything else, a new top-level name and its
        value; None for nothing. Two plugins that give one key are an error naming both.
    If you raise: a job that needs you does not start, for it names a secret of yours, or is your own.
        ``SecretNotFound``, ``SecretDenied``, ``ProviderAuthFailed`` and ``ProviderMisconfigured`` say why; anything
        else counts as ``ProviderUnavailable``: the job waits and tries again (1 s ... 5 min). Any other job starts
        without what you supply, which is said once, and you are asked again before it is asked. So it is if you
        have not answered within ``fetch_timeout`` of ``[runner]``.
    Example:
        >>> @hookimpl
        ... def fetch_job_details(job, node):
        ...     return {"scratch": f"/scratch/{node.name}/{job.name}"}
    """


@hookspec
def get_runnable_tasks(job: Job) -> Iterable[Task | NextCheck] | None:
    """Look at the world and answer which tasks should run now.

    Called: in the runner, on an asking thread, of the job's own plugin alone, whenever the job is wanted; for one
        job never twice at once. A generator is pulled and closed on the thread that called. Never in a worker.
    Arguments:
        job: its name, params with secrets in their places, details, node and configuration.
    Return: the tasks, as a list or lazily as a generator, pulled no further than they can start; a `NextCheck` may
        come first; None is no task. Raise `JobDone` when there is nothing more beyond this answer.
    If you raise: the answer ends as incomplete, the error is reported, and the job is asked again at its backoff.
        Tasks that were pulled before run. Other jobs go on.
    Example:
        >>> @hookimpl
        ... def get_runnable_tasks(job):
        ...     for path in sorted(pathlib.Path(job.params["inbox"]).glob("*.csv")):
        ...         yield Task(load, (path,))
    """


@hookspec
def task_started(run: TaskRun) -> None:
    """Learn that a worker has begun a run.

    Called: in the runner, of every plugin, on the reporter's own thread; of a run's own job plugin on the thread
        that asks it. Never in a worker.
    Arguments:
        run: which attempt at which task.
    Return: nothing.
    If you raise: it is logged, and changes nothing; the run and other reporters go on.
    Example:
        >>> @hookimpl
        ... def task_started(run):
        ...     print(run.job, run.label or run.signature, "started")
    """


@hookspec
def task_succeeded(run: TaskRun, result: Result) -> None:
    """Learn that a task's function returned.

    Called: in the runner, of every plugin, once for each run that succeeded, on the reporter's own thread; of a
        run's own job plugin on the thread that asks it, before it is asked or pulled again. Never in a worker.
    Arguments:
        run: which attempt at which task.
        result: its summary, output, duration; ``result.value()`` decodes what the task returned.
    Return: nothing.
    If you raise: it is logged, and changes nothing; the outcome stands and other reporters are told.
    Example:
        >>> @hookimpl
        ... def task_succeeded(run, result):
        ...     print(run.function, "took", result.duration, "s")
    """


@hookspec
def task_failed(run: TaskRun, failure: Failure) -> None:
    """Learn that a run did not succeed, and why.

    Called: in the runner, of every plugin, once for each run that failed, on the reporter's own thread; of a run's
        own job plugin on the thread that asks it, before it is asked or pulled again. Never in a worker.
    Arguments:
        run: which attempt at which task.
        failure: its kind, and the exception as text; ``failure.not_before`` says when it may start again.
    Return: nothing.
    If you raise: it is logged, and changes nothing; the outcome stands and other reporters are told.
    Example:
        >>> @hookimpl
        ... def task_failed(run, failure):
        ...     print(run.job, failure.kind, failure.message)
    """


@hookspec
def job_changed(job: str, state: JobState) -> None:
    """Learn that a job began to wait, raise, be quarantined, be done, fail to start, or run well again.

    Called: in the runner, of every plugin, on the reporter's own thread. Never in a worker.
    Arguments:
        job: its name.
        state: what it is doing now, with one line of text.
    Return: nothing.
    If you raise: it is logged, and changes nothing; the job and other reporters go on.
    Example:
        >>> @hookimpl
        ... def job_changed(job, state):
        ...     print(job, state.kind, state.text)
    """


@hookspec
def executor(node: Node) -> concurrent.futures.Executor | ExecutorOffer:
    """Supply an executor that runs tasks, in the place of the local one.

    Called: in the runner, of the plugin alone that ``executor`` of ``[runner]`` or of a job names, on a thread of its
        own, when the runner starts; and again when a run waits and the last one is broken. Never in a worker.
    Arguments:
        node: the machine this runner is on.
    Return: a ``concurrent.futures.Executor``, a new one each time; or an `ExecutorOffer` that says what else it can do.
        It is given one function, from bytes to bytes, which its processes import from ``ujr_core``. It is shut down
        when the runner stops, without being waited for.
    If you raise: the runs of those jobs wait, which is said, and you are called again, 0.1 s to 5 s later. Other jobs
        run. So they do while you have not answered, which is said after ``fetch_timeout`` of ``[runner]``. What its
        ``submit`` raises, or a future in the place of an answer, ends that run as ``executor_lost``.
    Example:
        >>> @hookimpl
        ... def executor(node):
        ...     return concurrent.futures.ThreadPoolExecutor(node.cpus)
    """
    raise NotImplementedError  # the signature is what counts: an implementation may not return None


P = ParamSpec("P")
R = TypeVar("R")


class _Mark(Protocol[P, R]):
    """Takes a function with the arguments of a hook, or a method with them after ``self``."""

    @overload
    def __call__(self, function: Callable[P, R], /) -> Callable[P, R]: ...

    @overload
    def __call__(self, function: Callable[Concatenate[Any, P], R], /) -> Callable[Concatenate[Any, P], R]: ...

    def __call__(self, function: Callable[..., R], /) -> Callable[..., R]: ...


def implements(hook: Callable[P, R]) -> _Mark[P, R]:
    """Mark a function as an implementation of ``hook``, so that a type checker compares the two.

    Args:
        hook: one of the functions of this module.
    """
    name = cast("Any", hook).__name__

    def mark(function: Callable[..., R], /) -> Callable[..., R]:
        return hookimpl(function, specname=name)

    return cast("_Mark[P, R]", mark)


__all__ = [
    "PROJECT", "REPORT_HOOKS", "config_source", "executor", "fetch_job_details", "get_runnable_tasks",
    "hookimpl", "hookspec", "implements", "job_changed", "task_failed", "task_started", "task_succeeded",
]  # fmt: skip
