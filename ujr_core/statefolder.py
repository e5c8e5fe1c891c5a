"""The state folder: one runner at a time, and nothing in it that a stopped runner needs."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import pathlib
from collections.abc import Iterator

from ujr_core.errors import StateError

VERSION = "1"

_held: set[int] = set()
"""Descriptors of the locks that this process holds."""


@contextlib.contextmanager
def locked(folder: pathlib.Path) -> Iterator[None]:
    """Hold the folder's lock, and make the folder if it is missing.

    The lock is an flock: it goes with its process, whatever ends that, and no stale file can keep it. A child that is
    forked meanwhile does not hold it.

    Raises:
        StateError: another runner holds it (code "already-running"), or the folder cannot be used.
    """
    _let_go_in_children()
    with contextlib.ExitStack() as opened:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = _opened(folder / "lock", os.O_RDWR | os.O_CREAT, opened)
            itself = _opened(folder, os.O_RDONLY | os.O_DIRECTORY, opened)
        except OSError as error:
            raise _unusable(folder, error.strerror or str(error)) from None
        _take(lock, folder)
        # As well, for whoever removes the file believes that nobody holds it. NFS does not lock folders.
        with contextlib.suppress(OSError):
            _take(itself, folder)
        _check_version(folder)
        yield


def _opened(path: pathlib.Path, flags: int, opened: contextlib.ExitStack) -> int:
    lock = os.open(path, flags | os.O_CLOEXEC, 0o600)
    _held.add(lock)
    opened.callback(_close, lock)
    return lock


def _close(lock: int) -> None:
    if lock in _held:  # not in a forked child, where it may be another file by now
        _held.remove(lock)
        os.close(lock)


def is_held(folder: pathlib.Path) -> bool:
    """Tell whether a runner has the folder, whether or not it can be reached; nothing is made for it."""
    return _is_locked(folder / "lock", os.O_RDONLY) or _is_locked(folder, os.O_RDONLY | os.O_DIRECTORY)


def _is_locked(path: pathlib.Path, flags: int) -> bool:
    try:
        lock = os.open(path, flags | os.O_CLOEXEC)
    except OSError:  # it was never held
        return False
    try:
        # Shared, and for an instant: two that look do not see each other, and no runner takes one for another.
        return not _is_taken(lock, fcntl.LOCK_SH)
    except OSError:  # a folder of NFS
        return False
    finally:
        os.close(lock)


@functools.cache
def _let_go_in_children() -> None:
    # A child shares the lock as long as it has the descriptor, and may well outlive a runner that is killed.
    os.register_at_fork(after_in_child=_let_go)


def _let_go() -> None:
    while _held:
        os.close(_held.pop())


def _take(lock: int, folder: pathlib.Path) -> None:
    while not _is_taken(lock, fcntl.LOCK_EX):
        # Whoever looks whether a runner has the folder holds its lock for an instant, and shares it; no runner does.
        if not _is_taken(lock, fcntl.LOCK_SH):
            raise _already_running(folder)


def _is_taken(lock: int, how: int) -> bool:
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _already_running(folder: pathlib.Path) -> StateError:
    return StateError(
        "already-running",
        "another runner runs on this state folder",
        _where(folder),
        "look at it: ujr status; have it run a job now: ujr trigger JOB; end it: ujr stop; or give this one a state "
        "folder of its own: state_dir in [runner]",
    )


def _check_version(folder: pathlib.Path) -> None:
    path = folder / "version"
    try:
        version = path.read_text(errors="replace").strip() if path.exists() else ""
        if not version:  # the folder is new, or power failed while it was
            _write_version(path)
    except OSError as error:
        raise _unusable(folder, error.strerror or str(error)) from None
    if version not in ("", VERSION):
        raise StateError(
            "state-version",
            f'the state folder has version "{version[:20]}", this runner knows {VERSION}',
            _where(path),
            "use the version of ujr-core that wrote it, or delete the folder",
        )


def _write_version(path: pathlib.Path) -> None:
    # Whole or not at all: a start that is killed half-way must not end every later one.
    new = path.with_suffix(".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(descriptor, "w") as file:
        file.write(VERSION + "\n")
    os.replace(new, path)


def _unusable(folder: pathlib.Path, why: str) -> StateError:
    return StateError("state-unusable", f"the state folder cannot be used: {why}", _where(folder),
                      "make it writable, or name another one: state_dir in [runner]")  # fmt: skip


def _where(path: pathlib.Path) -> str:
    return f"{path}, runner.state_dir"
