"""The machine this runner is on."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from typing import Any

from ujr_core.values import Node


def this_node(*, name: str | None, labels: tuple[str, ...], facts: Mapping[str, Any]) -> Node:
    """Return this machine as jobs see it.

    Args:
        name: None = what the machine is called.
        labels: what patterns of jobs match beside the name.
        facts: anything.
    """
    return Node(
        name=name or platform.node() or "localhost",
        labels=labels,
        cpus=_cpus(),
        memory_bytes=_memory_bytes(),
        platform=sys.platform,
        facts=facts,
    )


def _cpus() -> int:
    # A container or taskset may leave fewer than the machine has.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
