"""What a worker asks of the kernel at its start, beside what keeps its memory private."""

from __future__ import annotations

import contextlib
import ctypes
import sys

_PR_SET_CHILD_SUBREAPER = 36
_FIRST_OF_MEMORY = "500"


def adopt_orphans() -> None:
    """Have processes below this one become its children when their parents end, so that it sees all of its tree."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_first_of_memory() -> None:
    """Have this process, and what it starts, killed before the runner when the machine's memory is exhausted.

    To be called before the memory is made private; then the file is root's.
    """
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write(_FIRST_OF_MEMORY)
