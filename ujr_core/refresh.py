"""Refresh: the configuration is read anew, off the loop's thread; what is wrong with it changes nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping

import attrs

from ujr_core.clock import SYSTEM, Clock
from ujr_core.configuration.diff import Diff, difference
from ujr_core.configuration.document import digest_of
from ujr_core.configuration.jobs import Consolidation, Wrong, consolidate
from ujr_core.configuration.settings import Main, read_main
from ujr_core.configuration.snapshots import Tables
from ujr_core.errors import Faults, InternalError, UJRError
from ujr_core.project import Project, wrong_jobs
from ujr_core.sources import HOOK, OWN, Sources
from ujr_core.values import JobConfig
from ujr_core.workingfolder import WorkingFolder

log = logging.getLogger("ujr")

_OF_THE_START = ("runner", "node", "plugins")
"""Tables that a runner reads at its start alone."""


@attrs.frozen
class Read:
    """What came of reading the configuration anew.

    Args:
        project: what is in force from now on; the same object as before if nothing was taken.
        diff: the jobs that should be running now, compared with before.
        faults: why not everything that was read is in force, of all sources.
        news: those of them that were not there when it was read before.
        needs_restart: key paths of what was changed, and is in force after a restart.
    """

    project: Project
    diff: Diff = Diff()
    faults: tuple[UJRError, ...] = ()
    news: tuple[UJRError, ...] = ()
    needs_restart: tuple[str, ...] = ()


@attrs.define
class _Attempt:
    """What was read, until it is decided which of it is taken.

    Args:
        main: the main configuration; the one in force if it was not read.
        answers: of sources, those that may be taken.
    """

    main: Main
    answers: dict[str, Tables] = attrs.field(factory=dict)


class Refresh:
    """Reads anew what is due, or has changed; used by one thread at a time.

    Each source stands for itself: what is wrong with one, or with the jobs it names, keeps what it answered last in
    force, and takes nothing from the others. The main configuration and the jobs in it are one source.

    Args:
        project: as it was loaded for the start.
        clock: for what is due.
    """

    def __init__(self, project: Project, clock: Clock = SYSTEM) -> None:
        self.project = project
        self._clock = clock
        self._first = project.main
        self._here = _by_name(project)
        self._sources = Sources(project.main, project.registry)
        self._folder = WorkingFolder(project.main.folder)
        self._digest = self._seen = project.digest
        self._faults: dict[str, tuple[UJRError, ...]] = {}
        self._of_the_start = project.source_warnings
        self._news: list[UJRError] = []
        self._needs_restart: tuple[str, ...] = ()

    def look(self, *, is_meant: bool = False) -> Read | None:
        """Read what is due: sources at their time, and all of them once the files have changed and are at rest.

        Args:
            is_meant: a person says that everything is to be read, and that it is right if most jobs are gone.

        Returns:
            None if nothing was due.
        """
        now = self._clock.monotonic()
        names = self._due(now, is_meant=is_meant)
        if not names:
            return None
        try:
            return self._read(names, now, is_meant=is_meant)
        except BaseException:
            self._digest = b""  # whatever it was, what has changed in the files is not in force: they are read again
            raise

    def _read(self, names: Iterable[str], now: float, *, is_meant: bool) -> Read:
        self._news = []
        attempt = self._ask(names, now)
        self._hold_back(attempt, now, is_meant=is_meant)
        self._take_nothing_new(attempt, now)
        read = Read(self.project)
        if attempt.answers:
            found = self._validated(attempt, now)
            read = self._taken(attempt, found, now) if attempt.answers else read
        # Two sources may have a part in one.
        faults = tuple({str(fault): fault for of_one in self._faults.values() for fault in of_one}.values())
        return attrs.evolve(read, faults=faults, news=tuple(self._news), needs_restart=self._needs_restart)

    def _due(self, now: float, *, is_meant: bool) -> list[str]:
        digest = self._files()
        # A file that is half written may well be a valid one: it is read when it was the same twice.
        is_at_rest, self._seen = digest == self._seen, digest
        if is_meant or (is_at_rest and digest != self._digest):
            self._digest = digest
            return list(self._sources.names)
        due = [name for name in self._sources.names if self.project.snapshots[name].is_due(now)]
        return due if is_at_rest else [name for name in due if name != OWN]

    def _files(self) -> bytes:
        path = self.project.main.path
        return digest_of(path) if path is not None else b""

    def _ask(self, names: Iterable[str], now: float) -> _Attempt:
        attempt = _Attempt(self.project.main)
        for name in names:
            try:
                if name == OWN:
                    attempt.main = self._main()
                attempt.answers[name] = self._sources.ask(name)
            except UJRError as error:
                self._refuse(name, error.faults if isinstance(error, Faults) else (error,), now)
            self._folder.keep(name, HOOK)
        if (
            OWN in attempt.answers and self._files() != self._digest
        ):  # changed while it was read: which of the two was it?
            del attempt.answers[OWN]
        return attempt

    def _main(self) -> Main:
        self._digest = self._seen
        path = self.project.main.path
        return self.project.main if path is None else read_main(path, self.project.overrides)

    def _hold_back(self, attempt: _Attempt, now: float, *, is_meant: bool) -> None:
        for name, answer in list(attempt.answers.items()):
            snapshot = self.project.snapshots[name]
            was_held = snapshot.state == "held"
            if not snapshot.may_take(answer, now, is_meant=is_meant):
                del attempt.answers[name]
                if not was_held:
                    log.warning('config source "%s": %s', name, snapshot.text)

    def _take_nothing_new(self, attempt: _Attempt, now: float) -> None:
        """Take the answers of sources that name no job, and named none before: nothing has to be consolidated."""
        for name, answer in list(attempt.answers.items()):
            tables = self.project.snapshots[name].tables
            if name != OWN and not answer and tables is not None and not tables:
                self._take(name, attempt.answers.pop(name), now)

    def _validated(self, attempt: _Attempt, now: float) -> Consolidation:
        """Consolidate without what is wrong: each round leaves out the sources that have a part in it."""
        while True:
            found, wrong = self._consolidated(attempt)
            blamed: dict[str, list[UJRError]] = {}
            for one in wrong:
                for name in self._blamed(one, attempt):
                    blamed.setdefault(name, []).append(one.fault)
            if not blamed:
                if wrong:
                    raise InternalError(
                        "internal", "what is in force is wrong", wrong[0].fault.where, wrong[0].fault.what
                    )
                return found
            for name, faults in blamed.items():
                self._refuse(name, tuple(faults), now)
                del attempt.answers[name]

    def _blamed(self, one: Wrong, attempt: _Attempt) -> list[str]:
        """Return which of the sources that were read are not to be taken; of a job of two, whoever had it keeps it."""
        there = [name for name in one.sources if name in attempt.answers]
        holder = self.project.consolidation.tables.get(one.job) if one.job is not None else None
        newcomers = [name for name in there if holder is not None and name != holder.source]
        return newcomers or there

    def _consolidated(self, attempt: _Attempt) -> tuple[Consolidation, tuple[Wrong, ...]]:
        before = self.project.consolidation
        main = attempt.main if OWN in attempt.answers else self.project.main
        tables = [(name, attempt.answers.get(name, one.tables)) for name, one in self.project.snapshots.items()]
        found = consolidate(tables, self._first.runner, overrides=main.job_overrides, before=before)
        of_main = [Wrong(fault, (OWN,)) for fault in main.faults]
        return found, (*of_main, *found.wrong, *self._checked(found))

    def _checked(self, found: Consolidation) -> Iterator[Wrong]:
        before = self.project.jobs
        fresh = [(name, job) for name, job in found.jobs.items() if before.get(name) is not job]
        return wrong_jobs((*fresh, *found.doubtful.items()), found, self.project.registry, self._first)

    def _taken(self, attempt: _Attempt, found: Consolidation, now: float) -> Read:
        project = self._project_of(attempt, found)
        here = _by_name(project)
        diff = difference(self._here, here)
        # From here on nothing can go wrong: what is in force, and what the loop is told of it, must not part.
        for name, answer in attempt.answers.items():
            self._take(name, answer, now)
        if OWN in attempt.answers:
            self._needs_restart = _needs_restart(self._first, attempt.main)
        self._say_vain_overrides(project)
        _relocate(self.project.consolidation, found)
        self.project, self._here = project, here
        return Read(project, diff)

    def _take(self, name: str, answer: Tables, now: float) -> None:
        self.project.snapshots[name].take(answer, now)
        if self._faults.pop(name, None):
            log.info('config source "%s" is well again', name)

    def _project_of(self, attempt: _Attempt, found: Consolidation) -> Project:
        main, first = self.project.main, self._first
        if OWN in attempt.answers:
            main = attrs.evolve(attempt.main, runner=first.runner, node=first.node, plugins=first.plugins)
        return attrs.evolve(self.project, main=main, consolidation=found, source_warnings=())

    def _say_vain_overrides(self, project: Project) -> None:
        vain = [
            name for name in project.main.job_overrides if name in self.project.tables and name not in project.tables
        ]
        for name in vain:
            log.warning(
                'there is no job "%s" any more of which --set sets anything: a next start with it is refused', name
            )

    def _refuse(self, name: str, faults: tuple[UJRError, ...], now: float) -> None:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        snapshot = self.project.snapshots[name]
        snapshot.fail(f"{faults[0].what}{more}", now)
        at_start = self._of_the_start if snapshot.read_at is None else ()
        known = {str(fault) for fault in (*self._faults.get(name, at_start), *self._news)}
        self._news += [fault for fault in faults if str(fault) not in known]
        self._faults[name] = faults


def _by_name(project: Project) -> dict[str, JobConfig]:
    return {job.name: job for job in project.jobs_here}


def _relocate(before: Consolidation, after: Consolidation) -> None:
    """Tell jobs that are as they were where they stand now: a line above may have been added."""
    for name, job in after.jobs.items():
        if before.jobs.get(name) is job and (origin := after.tables[name].table.origin) is not job.origin:
            # Frozen to everybody else. A copy would take longer than all the rest, and where a job was written is no
            # part of what it is: it does not count when two are compared.
            object.__setattr__(job, "origin", origin)


def _needs_restart(first: Main, now: Main) -> tuple[str, ...]:
    before, after = first.document.mapping, now.document.mapping
    return tuple(key for table in _OF_THE_START for key in _changed_keys(table, before.get(table), after.get(table)))


def _changed_keys(table: str, before: object, after: object) -> Iterator[str]:
    if before == after:
        return
    if not (isinstance(before, Mapping) and isinstance(after, Mapping)):
        before, after = (value if isinstance(value, Mapping) else {} for value in (before, after))
    for key in dict.fromkeys([*before, *after]):
        if before.get(key) != after.get(key):
            yield f"{table}.{key}"
