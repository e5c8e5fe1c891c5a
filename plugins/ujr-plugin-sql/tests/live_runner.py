"""A real runner of the jobs of a table, looked at from outside: by what its jobs write, and by `ujr status`."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sql_fixtures import VARIABLE, Jobs
from sql_server import PASSWORD

PATIENCE = 60.0
"""Seconds after which a test gives up; what it waits for comes within two."""

UJR = str(Path(sysconfig.get_path("scripts")) / "ujr")
OWN = '[jobs.own]\nplugin = "command"\nevery = "200ms"\nparams = { shell = "echo own > pipe" }\n'


class LiveRunner:
    """A runner that reads a table, and has one job of its own beside it.

    Args:
        jobs: the table, in the folder that the runner is started in.
    """

    def __init__(self, jobs: Jobs) -> None:
        self._folder = jobs.folder
        os.mkfifo(self._folder / "pipe")
        # For writing, too: it neither waits for the first writer nor ends with the last.
        self._pipe = os.open(self._folder / "pipe", os.O_RDWR | os.O_NONBLOCK)
        (self._folder / "ujr.toml").write_text(OWN + _table({**jobs.settings, "refresh": "200ms"}))
        self._environ = {**os.environ, VARIABLE: PASSWORD}
        self._process = subprocess.Popen(
            [UJR, "run"],
            cwd=self._folder,
            env=self._environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def wait_for(self, *names: str) -> set[str]:
        """Wait until jobs have written these words, from now on; return all that was written meanwhile."""
        self._written(0)
        seen: set[str] = set()
        while not seen.issuperset(names):
            seen |= self._written(PATIENCE)
        return seen

    def wait_until(self, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Ask for the status until the source is as it should be; return how it is."""
        end = time.monotonic() + PATIENCE
        while not condition(source := self._source()):
            assert time.monotonic() < end, source
        return source

    def names(self) -> list[str]:
        """Return the jobs of which the runner knows."""
        return [row["name"] for row in self._ask("list")]

    def stop(self) -> str:
        """Have it end; return what it has said."""
        self._process.send_signal(signal.SIGTERM)
        said = self._process.communicate(timeout=PATIENCE)[0]
        assert self._process.returncode == 0, said
        return said

    def close(self) -> None:
        """End it, if it still runs."""
        self._process.kill()
        self._process.communicate()
        os.close(self._pipe)

    def _written(self, seconds: float) -> set[str]:
        if not select.select([self._pipe], [], [], seconds)[0]:
            assert seconds == 0, "no job has run"
            return set()
        return set(os.read(self._pipe, 65536).decode().split())

    def _source(self) -> dict[str, Any]:
        sources: list[dict[str, Any]] = self._ask("status")["configuration"]["sources"]
        (source,) = [one for one in sources if one["name"] == "sql"]
        return source

    def _ask(self, verb: str) -> Any:
        command = [UJR, verb, "--json"]
        return json.loads(subprocess.run(command, cwd=self._folder, check=True, capture_output=True).stdout)


@contextlib.contextmanager
def running(jobs: Jobs) -> Iterator[LiveRunner]:
    """Run the jobs of a table until the context ends."""
    runner = LiveRunner(jobs)
    try:
        yield runner
    finally:
        runner.close()


def _table(settings: dict[str, Any]) -> str:
    inline = {key: f'{{ env = "{value["env"]}" }}' for key, value in settings.items() if isinstance(value, dict)}
    lines = (f"{key} = {inline.get(key) or json.dumps(value)}\n" for key, value in settings.items())
    return "[plugins.sql]\n" + "".join(lines)
