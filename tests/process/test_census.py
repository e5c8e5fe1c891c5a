"""The example on real input: the census of the standard library, through the real command line."""

from __future__ import annotations

import ast
import contextlib
import functools
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import sysconfig
import time
import uuid
import warnings
from collections import Counter
from collections.abc import Callable, Iterator

import attrs
import pytest

from tests.process.second import is_within

REPOSITORY = pathlib.Path(__file__).parents[2]
EXAMPLE = REPOSITORY / "docs" / "examples" / "census"
STDLIB = pathlib.Path(sysconfig.get_path("stdlib"))
LEFT_OUT = {"site-packages", "dist-packages", "__pycache__"}
PATIENCE = 300.0
"""Seconds after which a test says that nothing came of it."""
BRANCHES = ("If", "IfExp", "For", "AsyncFor", "While", "comprehension", "ExceptHandler", "match_case")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for left processes in /proc"),
]


@attrs.frozen
class Census:
    """A copy of the example in a folder of its own; what is started in it carries a mark in its environment."""

    folder: pathlib.Path
    mark: str

    @contextlib.contextmanager
    def started(self, *arguments: str, config: str = "ujr.toml") -> Iterator[subprocess.Popen[bytes]]:
        """Start ``ujr run`` in a session of its own; it is killed at the end if it still runs."""
        environ = {**os.environ, "PYTHONPATH": str(REPOSITORY), "CENSUS_MARK": self.mark}
        command = [sys.executable, "-m", "ujr_core", "--config", config, "run", *arguments]
        with (
            open(self.folder / "log", "ab") as log,
            subprocess.Popen(command, cwd=self.folder, env=environ, stderr=log, start_new_session=True) as process,
        ):
            try:
                yield process
            finally:
                process.kill()

    def log(self) -> str:
        """Return what the runners have said, for a test that fails."""
        return (self.folder / "log").read_text()

    def query(self, sql: str, database: str = "census.sqlite3") -> list[tuple[object, ...]]:
        """Return rows of the database; none if it is not there yet."""
        with contextlib.closing(sqlite3.connect(f"file:{self.folder / database}?mode=ro", uri=True)) as connection:
            return connection.execute(sql).fetchall()

    def rows(self) -> int:
        """Return how many files are measured."""
        try:
            [(count,)] = self.query("SELECT count(*) FROM measured")
        except sqlite3.OperationalError:  # killed before the table was made
            return 0
        assert isinstance(count, int)
        return count

    def has_more_than(self, rows: int) -> bool:
        """Tell whether a further file is measured."""
        return self.rows() > rows

    def totals(self) -> Counter[str]:
        """Return the summary that the job wrote."""
        summary = {str(name): value for name, value in self.query("SELECT name, value FROM summary")}
        del summary["of"]
        return Counter({name: int(str(value)) for name, value in summary.items()})

    def left_processes(self) -> list[int]:
        """Wait for every process with the mark to end; return those that have not after a second."""
        is_within(1.0, lambda: not self._marked())
        return self._marked()

    def _marked(self) -> list[int]:
        return [pid for pid in _pids() if self.mark in _environ(pid)]


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _environ(pid: int) -> str:
    try:
        return pathlib.Path(f"/proc/{pid}/environ").read_text(errors="replace")
    except OSError:  # it has ended
        return ""


def _wait_until(is_true: Callable[[], bool], process: subprocess.Popen[bytes]) -> bool:
    """Look again and again while a process runs; return whether it came true."""
    deadline = time.monotonic() + PATIENCE
    while not is_true():
        if time.monotonic() > deadline or process.poll() is not None:
            return False
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
    return True


@pytest.fixture
def census(tmp_path: pathlib.Path) -> Census:
    """Return a copy of the example, without what an earlier run of it may have left."""
    left = shutil.ignore_patterns("*.sqlite3*", "*.txt", ".ujr*", "__pycache__")
    shutil.copytree(EXAMPLE, tmp_path / "census", ignore=left)
    return Census(tmp_path / "census", uuid.uuid4().hex)


def plain_loop(root: pathlib.Path = STDLIB) -> Counter[str]:
    """Return what a plain loop over a folder counts."""
    paths = (path for path in root.rglob("*.py") if not LEFT_OUT.intersection(path.relative_to(root).parts))
    return sum((_counted(path.read_bytes()) for path in paths if path.is_file()), Counter())


def _counted(source: bytes) -> Counter[str]:
    counts = Counter(files=1, lines=len(source.splitlines()))
    try:
        with warnings.catch_warnings(action="ignore"):
            nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError):
        return counts + Counter(faults=1)
    kinds = Counter(type(node).__name__ for node in nodes)
    shortcuts = sum(len(node.values) - 1 for node in nodes if isinstance(node, ast.BoolOp))
    return counts + Counter(
        functions=kinds["FunctionDef"] + kinds["AsyncFunctionDef"],
        classes=kinds["ClassDef"],
        imports=kinds["Import"] + kinds["ImportFrom"],
        complexity=1 + shortcuts + sum(kinds[name] for name in BRANCHES),
    )


def test_the_census_counts_what_a_plain_loop_counts(census: Census) -> None:
    """A part of the standard library, one task a file, has the totals of a plain loop over it, and a report of them."""
    root = STDLIB / "encodings"
    params = f'params = {{ root = "{root}" }}\n'
    config = census.folder / "ujr.toml"
    config.write_text(config.read_text().replace('timeout = "1m"\n', f'timeout = "1m"\n{params}'))
    with census.started("--until-idle") as process:
        expected = plain_loop(root)  # while it runs
        assert process.wait(PATIENCE) == 0, census.log()
    assert census.totals() == expected
    assert f"files{expected['files']:>17,}" in (census.folder / "report.txt").read_text()
    assert census.left_processes() == []


def test_a_census_that_is_killed_ten_times_ends_complete(census: Census) -> None:
    """The whole library, killed at ten random moments and started again: right totals, nothing twice, nothing torn."""
    moments = random.Random(9)
    for kill in range(10):
        before = census.rows()
        with census.started("--until-idle") as process:
            if kill % 2:  # in the midst of measuring; the others may well come before the first row
                assert _wait_until(functools.partial(census.has_more_than, before), process), census.log()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(moments.uniform(0.0, 0.6))
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert census.left_processes() == []
    with census.started("--until-idle") as process:
        expected = plain_loop()
        assert process.wait(PATIENCE) == 0, census.log()
    assert census.totals() == expected
    assert census.query("SELECT path, times FROM measured WHERE times <> 1") == []
    assert census.query("PRAGMA integrity_check") == [("ok",)]


def test_an_edited_file_is_measured_again(census: Census) -> None:
    """A census that goes on sees an edit, a new file and one that is gone, and measures nothing else again."""
    edited, gone, new = (census.folder / name for name in ("files.py", "extra.py", "more.py"))
    gone.write_text("def one(): ...\n")

    def watched(path: pathlib.Path) -> list[tuple[object, ...]]:
        sql = f"SELECT functions, times FROM measured WHERE path = '{path.name}'"
        return census.query(sql, "watch.sqlite3") if (census.folder / "watch.txt").exists() else []

    with census.started(config="watch.toml") as process:
        assert _wait_until(lambda: watched(gone) == [(1, 1)], process), census.log()
        [(functions, _)] = watched(edited)
        assert isinstance(functions, int)
        report = (census.folder / "watch.txt").read_text()
        edited.write_text(edited.read_text() + "\n\ndef more(): ...\n")
        new.write_text("import os\n")
        gone.unlink()
        assert _wait_until(lambda: watched(edited) == [(functions + 1, 2)], process), census.log()
        assert _wait_until(lambda: watched(new) == [(0, 1)] and not watched(gone), process), census.log()
        assert _wait_until(lambda: (census.folder / "watch.txt").read_text() != report, process), census.log()
        assert watched(census.folder / "table.py")[0][1] == 1
        process.terminate()
        assert process.wait(PATIENCE) == 0, census.log()
    assert census.left_processes() == []
