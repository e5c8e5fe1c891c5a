"""Privacy of a process: its memory holds secrets, and is nobody else's to read."""

from __future__ import annotations

import ctypes
import resource
import sys

_PR_SET_DUMPABLE = 4


def keep_memory_private() -> None:
    """Have the kernel write no core of this process, and let no other process of its user read its memory.

    What it starts by exec is an ordinary process again, but for the soft limit of cores, which it may raise. Most of
    the files in its own ``/proc/<pid>`` belong to root from here on.
    """
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
