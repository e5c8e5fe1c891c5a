"""The plain functions of the census example, and its jobs asked by hand."""

from __future__ import annotations

import importlib
import os
import pathlib
import sys
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from ujr_core import Job, JobConfig, JobDone, Node, Task

EXAMPLE = pathlib.Path(__file__).parents[2] / "docs" / "examples" / "census"
MODULES = ("source", "files", "table", "measure", "summarise")


@pytest.fixture
def census(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, ModuleType]]:
    """Return the modules of the example, imported as a runner does: from the folder of the configuration."""
    monkeypatch.syspath_prepend(EXAMPLE)
    yield {name: importlib.import_module(name) for name in MODULES}
    for name in MODULES:
        del sys.modules[name]


@pytest.fixture
def sources(tmp_path: pathlib.Path) -> pathlib.Path:
    """Return a folder with three source files, and what is none."""
    root = tmp_path / "root"
    (root / "package" / "__pycache__").mkdir(parents=True)
    (root / "site-packages").mkdir()
    (root / "a.py").write_text("def a(): ...\n")
    (root / "package" / "b.py").write_text("import os\n")
    (root / "broken.py").write_text("def (\n")
    (root / "notes.txt").write_text("no source\n")
    (root / "site-packages" / "installed.py").write_text("not = of the library\n")
    (root / "package" / "__pycache__" / "c.py").write_text("")
    return root


def ask(job: ModuleType, **params: str | bool) -> list[Task]:
    """Ask a job plugin as the runner does."""
    config = JobConfig("job", "job")
    return list(job.get_runnable_tasks(Job("job", job.Params(**params), {}, Node("here"), config)))


def run(tasks: list[Task]) -> list[str | None]:
    """Run tasks one after the other; return their labels."""
    for task in tasks:
        task.function(*task.args, **task.kwargs)
    return [task.label for task in tasks]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (b"", (0, 0, 0, 0, 1)),
        (b"import os\nfrom os import path\n", (2, 0, 0, 2, 1)),
        (b"class A:\n    def f(self): ...\n    async def g(self): ...\n", (3, 2, 1, 0, 1)),
        (b"if a and b or c:\n    pass\nelif d:\n    pass\n", (4, 0, 0, 0, 5)),
        (b"for x in y: pass\nwhile z: pass\n", (2, 0, 0, 0, 3)),
        (b"try: pass\nexcept A: pass\nexcept B: pass\nfinally: pass\n", (4, 0, 0, 0, 3)),
        (b"[x for x in y for z in x]\n1 if a else 2\n", (2, 0, 0, 0, 4)),
        (b"match a:\n    case 1: pass\n    case _: pass\n", (3, 0, 0, 0, 3)),
    ],
)
def test_a_source_is_counted(census: dict[str, ModuleType], source: bytes, expected: tuple[int, ...]) -> None:
    """Lines, functions, classes, imports and decisions are those that a person counts."""
    found = census["source"].measure(source)
    assert (found.lines, found.functions, found.classes, found.imports, found.complexity) == expected
    assert found.fault is None


@pytest.mark.parametrize("source", [b"def (\n", b"# coding: no-such\n", b"x = '\0'\n", b"'\xff'\n", b"(" * 5_000])
def test_what_does_not_parse_is_measured_too(census: dict[str, ModuleType], source: bytes) -> None:
    """A file that Python refuses has lines and a fault, and nothing is raised."""
    found = census["source"].measure(source)
    assert found.fault
    assert (found.lines, found.complexity) == (1, 0)


def test_only_sources_are_listed(census: dict[str, ModuleType], sources: pathlib.Path) -> None:
    """What was installed into the library, compiled from it, or is no source, is left out; so is a broken link."""
    (sources / "dangling.py").symlink_to("nowhere")
    assert list(census["files"].source_files(str(sources))) == ["a.py", "broken.py", os.path.join("package", "b.py")]


def test_a_digest_is_of_the_content(census: dict[str, ModuleType], tmp_path: pathlib.Path) -> None:
    """A file that changes has another digest; one that was only touched has the same; one that is gone has none."""
    path = tmp_path / "a.py"
    path.write_text("a = 1\n")
    before = census["files"].digest(str(path))
    os.utime(path, (1, 1))
    assert census["files"].digest(str(path)) == before == census["files"].digest_of(b"a = 1\n")
    path.write_text("a = 2\n")
    assert census["files"].digest(str(path)) != before
    path.unlink()
    assert census["files"].digest(str(path)) == ""


def test_a_job_names_what_is_missing_and_nothing_else(
    census: dict[str, ModuleType], sources: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """Every file is named once; then none, until one is edited, added or removed."""
    params = {"root": str(sources), "database": str(tmp_path / "rows")}
    assert run(ask(census["measure"], **params)) == ["a.py", "broken.py", "package/b.py"]
    assert ask(census["measure"], **params) == []
    (sources / "a.py").write_text("a = 10\n")
    (sources / "new.py").write_text("")
    (sources / "broken.py").unlink()
    assert run(ask(census["measure"], **params)) == ["broken.py", "a.py", "new.py"]
    assert ask(census["measure"], **params) == []


def test_the_report_waits_for_every_row(
    census: dict[str, ModuleType], sources: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """While a row is missing nothing is named; then the report; then the job is done, until a row differs."""
    shared = {"root": str(sources), "database": str(tmp_path / "rows")}
    params = {**shared, "report": str(tmp_path / "report")}
    assert ask(census["summarise"], **params) == []
    run(ask(census["measure"], **shared))
    assert run(ask(census["summarise"], **params)) == ["report"]
    assert "package/b.py" in (tmp_path / "report").read_text()
    with pytest.raises(JobDone):
        ask(census["summarise"], **params)
    assert ask(census["summarise"], **params, keep_watching=True) == []
    (sources / "a.py").unlink()
    assert ask(census["summarise"], **params) == []  # the row of what is gone has to go first
    run(ask(census["measure"], **shared))
    assert run(ask(census["summarise"], **params)) == ["report"]


def test_a_row_is_written_wholly_or_not_at_all(census: dict[str, ModuleType], tmp_path: pathlib.Path) -> None:
    """What fails within a transaction leaves the table as it was."""
    table: Any = census["table"]
    database = str(tmp_path / "rows")
    table.create(database)
    table.put(database, "a.py", digest="1", measure=census["source"].measure(b""))
    with pytest.raises(ZeroDivisionError):
        _delete_and_fail(table, database)
    assert table.digests(database) == {"a.py": "1"}


def _delete_and_fail(table: Any, database: str) -> None:
    with table.writing(database) as connection:
        connection.execute("DELETE FROM measured")
        raise ZeroDivisionError


def test_two_jobs_may_make_the_table_at_once(census: dict[str, ModuleType], tmp_path: pathlib.Path) -> None:
    """Jobs are asked on threads of their own; whoever comes second finds the table or waits for it."""
    errors: list[BaseException] = []

    def make(database: str, together: threading.Barrier) -> None:
        together.wait()
        try:
            census["table"].create(database)
            census["table"].digests(database)
        except Exception as error:  # noqa: BLE001  # whatever it is, the test shows it
            errors.append(error)

    for count in range(20):
        arguments = (str(tmp_path / f"rows-{count}"), threading.Barrier(4))
        threads = [threading.Thread(target=make, args=arguments) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert errors == []
