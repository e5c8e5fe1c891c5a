"""What is asked: a request, the runner it was sent to, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import islice
from typing import Protocol

import attrs

from ujr_core.configuration.jobname import LONGEST_NAME, normal_name, short_name
from ujr_core.control.wire import Answer, Request
from ujr_core.errors import StateError, did_you_mean
from ujr_core.scheduler import State
from ujr_core.scheduler.events import Event
from ujr_core.scheduler.job import Job

MOST_COMPARED = 500
"""Names that one which is unknown is compared with: that takes some 30 ms, for which the loop does nothing else."""

_LISTED = "ujr list shows the jobs there are, and which run here"

Answered = Callable[[Answer], None]


@attrs.frozen
class Said:
    """What came of a request.

    Args:
        answer: for whoever asked.
        events: for the scheduler.
        later: takes what is to be called with the answer, which is not known yet; None = it is.
    """

    answer: Answer
    events: tuple[Event, ...] = ()
    later: Callable[[Answered], None] | None = None


class Overseen(Protocol):
    """The runner, as whoever asks after it sees it; all of it is called in the loop's thread."""

    @property
    def state(self) -> State:
        """Return what the scheduler remembers; it is read, never changed."""

    def status(self, now: float) -> Answer:
        """Return how it is."""

    def page(self, after: str, now: float) -> Answer:
        """Return some of its jobs, those whose names come next."""

    def shown(self, job: str) -> Answer | None:
        """Return the settings of a job; None if none is configured that has this name."""

    def names(self) -> Collection[str]:
        """Return the names of all jobs that are configured, those that do not run here too."""

    def reload(self, answered: Answered) -> None:
        """Read the configuration anew, and give the answer when that is done.

        Raises:
            StateError: it reads its configuration once.
        """

    def wait(self, answered: Answered) -> None:
        """Give the answer when nothing runs any more, and nothing will."""

    def ended(self) -> None:
        """Tell whoever waits for that what became of the runs."""


@attrs.frozen
class Asked:
    """A request together with what it is about.

    Args:
        request: as it was sent.
        runner: that it was sent to.
        now: monotonic.
    """

    request: Request
    runner: Overseen
    now: float

    @property
    def state(self) -> State:
        """The scheduler's."""
        return self.runner.state

    @property
    def where(self) -> str:
        """The command that a person types for it."""
        return f"ujr {self.request.verb}"

    @property
    def name(self) -> str:
        """The name of the job, in its normal form.

        Raises:
            StateError: none is named.
        """
        name = self.request.job
        if not name:
            raise StateError("config-unknown-job", "no job is named", self.where, _LISTED)
        # To normalise a long text takes the square of its length, and no job has a long name.
        return name if len(name) > 4 * LONGEST_NAME else normal_name(name)

    @property
    def job(self) -> Job:
        """The job, which runs here.

        Raises:
            StateError: there is none.
        """
        if self.name not in self.state.jobs:
            raise self.unknown(self.state.jobs)
        return self.state.jobs[self.name]

    def unknown(self, known: Collection[str]) -> StateError:
        """Say that there is no such job among those that are known."""
        name = short_name(self.name)
        fix = did_you_mean(name, islice(known, MOST_COMPARED)) or _LISTED
        return StateError("config-unknown-job", f'the runner has no job "{name}"', self.where, fix)
