"""The memory limit of a task."""

from __future__ import annotations

import contextlib
import resource
import sys

_LARGEST = 1 << 62  # more is no limit, and fits no number of the kernel


class MemoryLimit:
    """Bounds what a run adds to the address space of its worker: beyond, it gets a MemoryError, and the worker lives.

    What the worker holds at the beginning is not counted, since it may be another job's. A process that the task
    starts has the same bound, for itself. Only Linux enforces it.
    """

    def __init__(self) -> None:
        self._before: int | None = None

    def set(self, memory: int) -> None:
        """Bound what follows.

        Args:
            memory: bytes, > 0.
        """
        with contextlib.suppress(OSError, ValueError):
            soft, hard = resource.getrlimit(resource.RLIMIT_AS)
            resource.setrlimit(resource.RLIMIT_AS, (_least(_address_space() + min(memory, _LARGEST), soft, hard), hard))
            self._before = soft

    def lift(self) -> None:
        """Put back what was before; to be called before the outcome is told, which takes memory, too."""
        if self._before is None:
            return
        with contextlib.suppress(OSError, ValueError):
            _, hard = resource.getrlimit(resource.RLIMIT_AS)  # a task may have lowered it for good
            resource.setrlimit(resource.RLIMIT_AS, (_least(self._before, hard), hard))
        self._before = None


def _least(*limits: int) -> int:
    return min((limit for limit in limits if limit != resource.RLIM_INFINITY), default=resource.RLIM_INFINITY)


def _address_space() -> int:
    """Return bytes.

    Raises:
        OSError: it is not known.
    """
    if sys.platform != "linux":
        raise OSError("this system does not enforce it")
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[0]) * resource.getpagesize()
