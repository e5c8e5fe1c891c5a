"""The executors that jobs name: the core's own, and those of plugins, each opened once."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterable

from ujr_core import hookspecs
from ujr_core.adapter import FuturesExecutor
from ujr_core.inbox import Inbox
from ujr_core.pool.call import Site
from ujr_core.registry import Registry
from ujr_core.strand import Strands
from ujr_core.values import Node
from ujr_core.workingfolder import WorkingFolder


def open_executors(
    names: Iterable[str],
    *,
    registry: Registry,
    node: Node,
    inbox: Inbox,
    strands: Strands,
    workers: int,
    site: Site,
    patience: float,
) -> dict[str, FuturesExecutor]:
    """Ask the plugins of these names for their executors, all at once, and wait for them.

    One that raises or does not answer in time is no error: its runs wait, which is said, and it is asked again.

    Args:
        names: of plugins that have the hook; that they do was checked with the configuration.
        registry: with these plugins.
        node: they are told of.
        inbox: where events go.
        strands: with the threads on which they are asked, and spoken to.
        workers: places of one that does not say how many it has.
        site: of the runner.
        patience: seconds that all of them together are waited for.
    """
    folder = WorkingFolder(site.folder)
    opened = {}
    for name in sorted(names):
        ask = functools.partial(_ask, name, registry, node, folder)
        opened[name] = FuturesExecutor(name, ask, inbox=inbox, strands=strands, workers=workers, site=site.encoded())
        opened[name].open()
    deadline = time.monotonic() + patience
    for one in opened.values():
        one.settle(deadline)
    return opened


def _ask(name: str, registry: Registry, node: Node, folder: WorkingFolder) -> object:
    try:
        return registry.call_one(name, hookspecs.executor, node=node)
    finally:
        folder.keep(name, "executor")
