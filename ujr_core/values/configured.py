"""What a job is configured as, and what it is given when it starts."""

from __future__ import annotations

import datetime
import fnmatch
import pathlib
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Literal

import attrs

from ujr_core.secret import SecretRef, SecretTemplate
from ujr_core.values.exact import exact

NOTHING: Mapping[str, Any] = MappingProxyType({})


KeyPath = tuple[str, ...]


@attrs.frozen
class Origin:
    """Where a table was written.

    Args:
        source: what a person would look for: a file name, a URL, a database.
        lines: line of each key path of the whole source, 1 is the first; empty if the source has no lines.
        prefix: key path of the table within the source.
        root: key path at which the whole configuration stands in the source; in pyproject.toml "tool", "ujr".
        elsewhere: origin of each key path of the whole source that was written in another place than its table.
    """

    source: str
    lines: Mapping[KeyPath, int] = attrs.field(factory=dict, repr=False, eq=False)
    prefix: KeyPath = attrs.field(default=(), repr=False, eq=False)
    root: KeyPath = attrs.field(default=(), repr=False, eq=False)
    elsewhere: Mapping[KeyPath, Origin] = attrs.field(default=MappingProxyType({}), repr=False, eq=False)

    def where(self, path: KeyPath = ()) -> str:
        """Return ``source:line`` of a key path, or of the nearest table around it."""
        origin = self.of(path)
        for end in range(len(origin.prefix), -1, -1):
            if (line := origin.lines.get(origin.prefix[:end])) is not None:
                return f"{origin.source}:{line}"
        return origin.source

    def below(self, *path: str) -> Origin:
        """Return the origin of the table at a key path."""
        # The lines are shared: ten thousand jobs of one file must not copy them ten thousand times.
        return Origin(self.source, self.lines, self.prefix + path, self.root, self.elsewhere)

    def of(self, path: KeyPath = ()) -> Origin:
        """Return the origin of what stands at a key path: that of its table, or the other place it was written at."""
        whole = self.prefix + path
        for end in range(len(whole), -1, -1) if self.elsewhere else ():
            if (other := self.elsewhere.get(whole[:end])) is not None:
                return other.of(whole[end:])
        return self.below(*path)


@attrs.frozen
class JobTable:
    """A job's table together with the place it was written at; a config source may return it for a mapping.

    Args:
        mapping: the settings of one job, as in ``[jobs.<name>]``.
        origin: the place.
    """

    mapping: Mapping[str, Any]
    origin: Origin


@attrs.frozen
class Start:
    """What a config source is told.

    Args:
        path: the configuration file, absolute; None if the configuration was passed as a mapping.
        folder: where relative paths begin, absolute.
        environ: the environment at the start, read-only.
    """

    path: pathlib.Path | None
    folder: pathlib.Path
    environ: Mapping[str, str] = attrs.field(repr=False)


@attrs.frozen
class Backoff:
    """How long a failing signature, or a failing hook, waits: ``first * factor ** (failures - 1)``, at most ``max``.

    Args:
        first: seconds, > 0.
        factor: ≥ 1.
        max: seconds, ≥ first.
    """

    first: float = 1.0
    factor: float = 2.0
    max: float = 300.0


@attrs.frozen
class JobConfig:
    """A job as configured; secrets stand in ``params`` as `SecretRef`.

    Args:
        name: of the job, unique.
        plugin: name of the registered plugin that is asked.
        params: as written.
        origin: the place it was written at.
        enabled: False: the job is not started.
        nodes: patterns; the job runs where one matches the node's name or a label.
        check_interval: seconds, ≥ 0.01; a job is asked again so long after its last ask. A success paces as long.
        timeout: seconds from the worker's acknowledgement, > 0; None = no limit.
        grace: seconds from TERM to KILL, ≥ 0.
        max_tasks: runs of this job at once, ≥ 1; None = as many as there are workers.
        backoff: of failing signatures and of the failing hook.
        give_up_after: failures in a row after which a signature, or the hook, is quarantined; None = never.
        continuous: kept running for ever, and left out of idleness.
        every: seconds from one firing to the next, ≥ 0.01; at most one of ``every``, ``cron`` and ``at`` is given.
        cron: five fields, or "@daily" and the like.
        at: the only firing; a naive one is in ``timezone``.
        timezone: IANA name for ``cron`` and ``at``; None = the system's.
        spread: seconds, ≥ 0; the job is asked later than its firing, by an amount below this that its name gives.
        missed: what becomes of a firing that comes, or came, when it cannot be asked about: the newest is made up
            "once", or "skip".
        ask_timeout: seconds, > 0; an ask, or a pull, that takes longer is shown as hung.
        on_stop: whether a job that is removed or disabled has its runs "cancel" or "finish".
        memory: bytes of address space that a task may have, ≥ 1; None = no bound.
        executor: name of the one that runs its tasks; None = the runner's.
    """

    name: str
    plugin: str
    params: Mapping[str, Any] = attrs.field(default=NOTHING, eq=exact)
    origin: Origin = attrs.field(default=Origin("<python>"), eq=False)
    enabled: bool = True
    nodes: tuple[str, ...] = ("*",)
    check_interval: float = 1.0
    timeout: float | None = None
    grace: float = 5.0
    max_tasks: int | None = None
    backoff: Backoff = Backoff()
    give_up_after: int | None = None
    continuous: bool = False
    every: float | None = None
    cron: str | None = None
    at: datetime.datetime | None = None
    timezone: str | None = None
    spread: float = 0.0
    missed: Literal["once", "skip"] = "once"
    ask_timeout: float = 60.0
    on_stop: Literal["cancel", "finish"] = "cancel"
    memory: int | None = None
    executor: str | None = None

    @property
    def has_schedule(self) -> bool:
        """Whether it is asked at firings, and not every ``check_interval``."""
        return (self.every, self.cron, self.at) != (None, None, None)

    def secrets(self, provider: str) -> tuple[SecretRef, ...]:
        """Return each reference in ``params`` that names this provider, once, in the order written."""
        found = dict.fromkeys(_references(self.params))
        return tuple(ref for ref in found if ref.provider == provider)

    def all_secrets(self) -> tuple[SecretRef, ...]:
        """Return each reference in ``params``, once, in the order written."""
        return tuple(dict.fromkeys(_references(self.params)))

    def is_for(self, node: Node) -> bool:
        """Tell whether the job runs on this node."""
        if "*" in self.nodes:  # as nearly all of them say
            return True
        names = (node.name, *node.labels)
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self.nodes for name in names)


@attrs.frozen
class Node:
    """The machine a runner is on.

    Args:
        name: host name, unless configured.
        labels: what job patterns match beside the name.
        cpus: processors this process may use, ≥ 1.
        memory_bytes: physical memory.
        platform: such as "linux".
        facts: whatever ``[node.facts]`` says.
    """

    name: str
    labels: tuple[str, ...] = ()
    cpus: int = 1
    memory_bytes: int = 0
    platform: str = "linux"
    facts: Mapping[str, Any] = NOTHING


@attrs.frozen
class Job:
    """What a job plugin is asked with.

    Args:
        name: of the job.
        params: mapping as configured, secrets in their places; or the plugin's ``Params``.
        details: params merged with what plugins added, read-only.
        node: the machine.
        config: the job as configured.
        due: the firing it is asked for, aware; None without a schedule.
    """

    name: str
    params: Any = attrs.field(repr=False)
    details: Mapping[str, Any] = attrs.field(repr=False)
    node: Node
    config: JobConfig = attrs.field(repr=False)
    due: datetime.datetime | None = None


def _references(value: object) -> Iterable[SecretRef]:
    if isinstance(value, SecretRef):
        yield value
    elif isinstance(value, SecretTemplate):
        yield from (ref for _, ref in value.refs)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _references(item)
