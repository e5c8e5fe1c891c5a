"""The project on which the chaos test runs its runners: a folder with a configuration, and what is found in it."""

from __future__ import annotations

import json
import os
import pathlib
import uuid

import attrs

from tests.chaos.jobs import ENOUGH, PAUSE, marks_of
from tests.chaos.life import LOG, Life
from tests.chaos.records import Execution, Kill, Report, Violation, executions_in, kills_in, reports_in
from tests.chaos.reports import REPORTS
from tests.chaos.tasks import BEGUN, NOTHING_AT_ALL, WITNESS

KILLS = "kills"
"""File of the kills."""

# Backoffs are short, so that what was killed is soon begun again, and steady, so that it is not waited for in the end.
# One worker is left to the tasks that take no time, so that there is always one which some were sent ahead to.
CONFIGURATION = """\
[runner]
workers = {workers}
plugins = ["tests.chaos.jobs:Numbers", "tests.chaos.reports"]

[plugins.log]
level = "WARNING"

[jobs.mixed]
plugin = "tests.chaos.jobs:Numbers"
params = {{ seed = {seed}, count = 16, every = 0.02 }}
max_tasks = {all_but_one}
backoff = {{ first = "50ms", factor = 1.0, max = "50ms" }}
check_interval = "20ms"

[jobs.{tiny}]
plugin = "tests.chaos.jobs:Numbers"
params = {{ seed = {seed}, count = 300, every = 0.25 }}
backoff = {{ first = "50ms", factor = 1.0, max = "50ms" }}
check_interval = "50ms"
"""


class Project:
    """Writes the project; has its runners begun one after another.

    Args:
        folder: empty.
        seed: of the work.
        workers: of each runner, at least two.
    """

    def __init__(self, folder: pathlib.Path, *, seed: int, workers: int) -> None:
        self.folder = folder
        self.workers = workers
        self._name = uuid.uuid4().hex
        self._lives = 0
        text = CONFIGURATION.format(workers=workers, all_but_one=workers - 1, seed=seed, tiny=NOTHING_AT_ALL)
        (folder / "ujr.toml").write_text(text)
        (folder / "tmp").mkdir()
        for name in (WITNESS, REPORTS, KILLS):
            (folder / name).touch()

    def begin_life(self) -> Life:
        """Start a runner."""
        self._lives += 1
        return Life(self._lives, self.folder, self._name)

    def pause(self) -> None:
        """Have the jobs name nothing."""
        (self.folder / PAUSE).touch()

    def go_on(self) -> None:
        """Have the jobs name work again."""
        (self.folder / PAUSE).unlink()

    def has_enough(self) -> None:
        """Have the jobs name nothing new."""
        (self.folder / ENOUGH).touch()

    def undone(self) -> set[tuple[str, str]]:
        """Return job and signature of what was begun and is not done."""
        marks = {job: marks_of(job, str(self.folder)) for job in ("mixed", NOTHING_AT_ALL)}
        return {
            (job, str(number)) for job, text in marks.items() for number, mark in enumerate(text) if mark == BEGUN[0]
        }

    def executions(self) -> tuple[list[Execution], list[Violation]]:
        """Return what the tasks witnessed, and which of them ran twice at once."""
        return executions_in((self.folder / WITNESS).read_text().splitlines())

    def reports(self) -> list[Report]:
        """Return what the reporter was told."""
        return reports_in((self.folder / REPORTS).read_text().splitlines())

    def length_of_reports(self) -> int:
        """Return how many bytes the reporter has written."""
        return (self.folder / REPORTS).stat().st_size

    def note_kill(self, kill: Kill) -> None:
        """Write down a kill, so that the folder holds all that the judge is told."""
        with open(self.folder / KILLS, "a") as file:
            file.write(json.dumps(attrs.asdict(kill)) + "\n")

    def kills(self) -> list[Kill]:
        """Return those that were written down."""
        return kills_in((self.folder / KILLS).read_text().splitlines())

    def temporary_files(self) -> list[str]:
        """Return what lies in the folder for temporary files."""
        return os.listdir(self.folder / "tmp")

    def last_words(self) -> str:
        """Return the end of what the runners said."""
        return (self.folder / LOG).read_text(errors="replace")[-2000:]
