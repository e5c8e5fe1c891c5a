"""Errors as the command line shows them, and the exit codes that go with them."""

from __future__ import annotations

import traceback
from collections.abc import Sequence

import click

from ujr_core.errors import ConfigError, Faults, InternalError, PluginError, SecretError, UJRError

FAILED, USAGE, INVALID, ALREADY_RUNNING, NOT_RUNNING, INTERRUPTED = 1, 2, 3, 4, 5, 130

_BY_CODE = {
    "already-running": ALREADY_RUNNING,
    "config-unknown-job": USAGE,
    "init-exists": USAGE,
    "new-plugin-exists": USAGE,
    "new-plugin-name": USAGE,
    "not-running": NOT_RUNNING,
    "pause-duration": USAGE,
    "simulate-period": USAGE,
    "simulate-plot": USAGE,
    "trigger-due": USAGE,
    "unknown-signature": USAGE,
}


def end_with(error: BaseException) -> int:
    """Show what ends a verb, and return the exit code.

    Raises:
        BaseException: it means to end the process, and is no error.
    """
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, Faults):
        show_faults(error.faults)
        return INVALID
    if isinstance(error, UJRError) and not isinstance(error, InternalError):
        show(error)
        return _BY_CODE.get(
            error.code, INVALID if isinstance(error, ConfigError | PluginError | SecretError) else FAILED
        )
    if isinstance(error, Exception):
        _show_bug(error)
        return FAILED
    raise error


def show_faults(faults: Sequence[UJRError]) -> None:
    """Show all of them, and at the end how many they are."""
    for fault in faults:
        show(fault)
    say(f"{len(faults)} error{'' if len(faults) == 1 else 's'}")


def show(error: UJRError) -> None:
    """Show the four parts on stderr."""
    say(str(error))


def show_warning(error: UJRError) -> None:
    """Show the four parts of what ends nothing."""
    say(error.as_warning())


def say(text: str) -> None:
    """Write to stderr, without secrets, and without what could steer a terminal."""
    from ujr_core.foreign import printable
    from ujr_core.redact import scrub

    click.echo("\n".join(map(printable, scrub(text).split("\n"))), err=True)


def _show_bug(error: Exception) -> None:
    what = error.what if isinstance(error, InternalError) else f"{type(error).__name__}: {error}"
    where = error.where if isinstance(error, InternalError) else ""
    say("".join(traceback.format_exception(error)).rstrip())
    show(InternalError("internal", f"this is a bug of UJR: {what}", where, "please report it, with the lines above"))
