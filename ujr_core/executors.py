"""The executors that jobs name: the core's own, and those of plugins, each opened once."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterable

from ujr_core import hookspecs
from ujr_core.adapter import FuturesExecutor
from ujr_core.execution import Executor
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
    wait: float = 0.0,
) -> dict[str, FuturesExecutor]:
    """Ask the plugins of these names for their executors, all at once.

    One that raises is no error: its runs wait, which is said, and it is asked again. Nor is one that has not answered
    yet: its answer is used when it comes.

    Args:
        names: of plugins that have the hook; that they do was checked with the configuration.
        registry: with these plugins.
        node: they are told of.
        inbox: where events go.
        strands: with the threads on which they are asked, and spoken to.
        workers: places of one that does not say how many it has.
        site: of the runner.
        patience: seconds after which it is said that one has not answered.
        wait: seconds that all of them together are waited for; of one that has not answered by then, `PlacesAdded`
            says later how many places it has.
    """
    folder = WorkingFolder(site.folder)
    opened = {}
    for name in sorted(names):
        ask = functools.partial(_ask, name, registry, node, folder)
        opened[name] = FuturesExecutor(
            name, ask, inbox=inbox, strands=strands, workers=workers, site=site.encoded(), patience=patience
        )
        opened[name].open()
    deadline = time.monotonic() + wait
    for one in opened.values():
        one.settle(deadline)
    return opened


def close_executors(executors: Iterable[Executor], *, within: float) -> None:
    """Close executors, those of plugins all at once, so that together they take no longer than one that hangs.

    Args:
        executors: of any kind.
        within: seconds that those of plugins are waited for.
    """
    executors = list(executors)
    for one in executors:
        if isinstance(one, FuturesExecutor):
            one.begin_close(within)
    for one in executors:
        one.close()


def _ask(name: str, registry: Registry, node: Node, folder: WorkingFolder) -> object:
    try:
        return registry.call_one(name, hookspecs.executor, node=node)
    finally:
        folder.keep(name, "executor")
