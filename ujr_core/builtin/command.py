"""Jobs that are one command line: ``argv = ["make", "report"]``, or ``shell = "make report"``.

A job plugin whose task is a process. With a schedule it runs once at each firing; without one it is done once the
command has succeeded, unless the job is ``continuous``. What the command prints is the output of its run; it dies with
its run.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping

import attrs

from ujr_core import Job, JobDone, Secret, Task, hookimpl

Words = tuple[str | Secret, ...]


@attrs.frozen
class Params:
    """What ``[jobs.<name>.params]`` says; exactly one of ``argv`` and ``shell``.

    Args:
        argv: the program and its arguments. A secret among them can be read by every user of the machine.
        shell: a line for ``/bin/sh``.
        cwd: where it runs, relative to the folder of the configuration.
        env: added to the runner's environment.
        success_codes: exit codes that count as success.
    """

    argv: Words | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.min_len(1)))
    shell: str | None = None
    cwd: str | None = None
    env: Mapping[str, str | Secret] = attrs.field(factory=dict)
    success_codes: tuple[int, ...] = (0,)

    def __attrs_post_init__(self) -> None:
        if (self.argv is None) == (self.shell is None):
            raise ValueError("a command has exactly one of argv and shell")


class CommandFailed(Exception):
    """The command could not be started, was killed, or said by its exit code that it failed."""


@hookimpl
def get_runnable_tasks(job: Job) -> Iterator[Task]:
    """Answer the command; for this firing, or at all, there is nothing beyond it, unless it is to run for ever."""
    params: Params = job.params
    command = params.shell if params.argv is None else params.argv
    kwargs = {"cwd": params.cwd, "env": dict(params.env), "success_codes": params.success_codes}
    yield Task(run_command, (command,), kwargs, label=_shown(command))
    if not job.config.continuous:
        raise JobDone


def run_command(
    command: str | Words, *, cwd: str | None, env: Mapping[str, str | Secret], success_codes: tuple[int, ...]
) -> int:
    """Run a command in this process's group, and wait for it.

    Returns:
        Its exit code, one of ``success_codes``.

    Raises:
        CommandFailed: it did not succeed; the text shows no secret.
    """
    name = "the shell command" if isinstance(command, str) else f'"{command[0]}"'
    try:
        code = _exit_code(command, cwd, env)
    except OSError as error:
        # None: what was tried stands in the frames, with its secrets.
        raise CommandFailed(f"{name} cannot be started: {_why(error, cwd)}") from None
    if code not in success_codes:
        raise CommandFailed(f"{name} {_told(code)}")
    return code


def _exit_code(command: str | Words, cwd: str | None, env: Mapping[str, str | Secret]) -> int:
    argv: str | list[str | bytes] = command if isinstance(command, str) else [_revealed(word) for word in command]
    environment = os.environ | {key: _revealed(value) for key, value in env.items()}
    with _outliving_term() as was_asked_to_end:
        process = subprocess.Popen(argv, shell=isinstance(argv, str), cwd=cwd, env=environment)
        if was_asked_to_end:
            process.terminate()
        return process.wait()


@contextlib.contextmanager
def _outliving_term() -> Iterator[list[int]]:
    """Survive TERM, which the whole group gets, so that the command has its grace to end in."""
    asked: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield asked  # no handler can be set here
        return
    # A function, for the command would inherit SIG_IGN.
    before = signal.signal(signal.SIGTERM, lambda number, _frame: asked.append(number))
    try:
        yield asked
    finally:
        signal.signal(signal.SIGTERM, before)


def _revealed(word: str | Secret) -> str | bytes:
    return word.reveal() if isinstance(word, Secret) else word


def _shown(command: str | Words | None) -> str:
    text = command if isinstance(command, str) else shlex.join(map(str, command or ()))
    return text if len(text) <= 60 else text[:59] + "…"


def _why(error: OSError, cwd: str | None) -> str:
    if cwd is not None and error.filename == cwd:
        return f'the folder "{cwd}" cannot be entered: {error.strerror}'
    return "there is no such program" if isinstance(error, FileNotFoundError) else str(error.strerror)


def _told(code: int) -> str:
    if code >= 0:
        return f"exited with code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:  # a real-time signal
        return f"was ended by signal {-code}"
