"""What is in flight: runs that were ordered, and ended ones that not everybody was told of, in a file that stays."""

from __future__ import annotations

import contextlib
import datetime
import errno
import fcntl
import os
import pathlib
import sys
import tempfile
from collections import deque
from collections.abc import Iterator

import attrs

from ujr_core.errors import StateError
from ujr_core.pool.page import BEGUN, FREE, SLOT, Page
from ujr_core.values.particulars import Particulars

NAME = "in-flight"
"""Of the file in the state folder."""

UNTOLD = 4096
"""Slots for runs that have ended, and of which some reporter was not told yet."""

NO_SLOT = -1


@attrs.frozen
class Left:
    """A run that a runner left when it was killed.

    Args:
        slot: where it stands.
        began_at: aware, UTC.
        particulars: what was entered.
    """

    slot: int
    began_at: datetime.datetime
    particulars: Particulars


class InFlight:
    """Gives each run that is ordered a slot of the page, until all reporters were told of its end.

    Args:
        path: of the file, which only this runner uses; None = one without a name.
        runs: how many may be ordered at once.

    Raises:
        OSError: the file cannot be made.

    Attributes:
        fd: of the file.
        left: what a killed runner left, what began first at the beginning; its slots are kept until they are let go.
    """

    def __init__(self, path: pathlib.Path | None, runs: int) -> None:
        self.fd = _opened(path, (2 * runs + UNTOLD) * SLOT)
        self._path = path
        self._page = Page(self.fd)
        self.left: list[Left] = []
        self._free: deque[int] = deque()
        for slot in reversed(range(self._page.slots)):
            self._sort(slot)
        self.left.sort(key=lambda one: one.began_at)

    def enter(self, particulars: bytes) -> int:
        """Give a run a slot before it is ordered; `NO_SLOT` if there is none left, for reporters are far behind."""
        try:
            slot = self._free.pop()
        except IndexError:
            return NO_SLOT
        self._page.enter(slot, particulars)
        return slot

    def begin(self, slot: int, at: float) -> None:
        """Note that a run has begun, where its worker cannot.

        Args:
            slot: of the run.
            at: epoch seconds.
        """
        if slot != NO_SLOT:
            self._page.begin(slot, at)

    def let_go(self, slot: int) -> None:
        """Forget a run: it never began, or everybody was told of its end; may be called in any thread."""
        if slot != NO_SLOT:
            try:  # noqa: SIM105  # suppress() takes longer than what it is for
                self._page.clear(slot)
            except ValueError:  # it is closed: the reporter that was told last was too late
                pass
            self._free.append(slot)

    def close(self, *, is_done: bool) -> None:
        """Close the file; it is removed if its runner is done, and has told of all that an earlier one left."""
        self._page.close()
        os.close(self.fd)
        if is_done and self._path is not None and not self.left:
            self._path.unlink(missing_ok=True)

    def _sort(self, slot: int) -> None:
        state = self._page.state(slot)
        particulars = Particulars.decoded(self._page.particulars(slot)) if state == BEGUN else None
        began_at = _time_of(self._page.began_at(slot))
        if particulars is not None and began_at is not None:
            self.left.append(Left(slot, began_at, particulars))
            return
        if state != FREE:  # it never began, or is nothing that a runner wrote
            self._page.clear(slot)
        self._free.append(slot)


@contextlib.contextmanager
def opened(folder: pathlib.Path, runs: int) -> Iterator[InFlight]:
    """Open the page of a state folder; it is left there if what it is opened for raises.

    Args:
        folder: the state folder; its runner holds the lock.
        runs: how many may be ordered at once.

    Raises:
        StateError: it cannot be opened.
    """
    path = folder / NAME
    try:
        in_flight = InFlight(path, runs)
    except OSError as error:
        what = f"the page of what is in flight cannot be opened: {error.strerror or error}"
        raise StateError("state-unusable", what, f"{path}, runner.state_dir", _fix(error)) from error
    is_done = False
    try:
        yield in_flight
        is_done = True
    finally:
        in_flight.close(is_done=is_done)


def _fix(error: OSError) -> str:
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return "let the runner open more files: ulimit -n"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "make room on the disk"
    return "remove what stands in its place, or make the folder writable"


def _time_of(seconds: float) -> datetime.datetime | None:
    try:
        return datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _opened(path: pathlib.Path | None, size: int) -> int:
    if path is None:
        with tempfile.TemporaryFile() as file:
            fd = os.dup(file.fileno())
    else:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        # A task that writes to a wrong number may well hit this file: that goes behind the slots.
        fcntl.fcntl(fd, fcntl.F_SETFL, os.O_APPEND)
        # What an earlier runner left is kept; a longer file reads as free slots.
        size = max(size, os.fstat(fd).st_size // SLOT * SLOT)
        os.ftruncate(fd, size)
        if path is not None:
            _reserve(fd, size)
    except OSError:
        os.close(fd)
        raise
    return fd


def _reserve(fd: int, size: int) -> None:
    """Take the room on the disk now: to write where a full disk has none left would end runner and workers (SIGBUS)."""
    if sys.platform == "linux":
        try:
            os.posix_fallocate(fd, 0, size)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):  # of a file system that reserves nothing
                raise
