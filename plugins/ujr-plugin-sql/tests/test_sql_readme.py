"""The README is true."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import attrs
import pytest
from sql_fixtures import Jobs
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

import ujr_plugin_sql
from ujr_core import Runner
from ujr_plugin_sql import Sql
from ujr_plugin_sql.schema import table_of

README = (Path(__file__).parents[1] / "README.md").read_text()
FILE = re.compile(r"^<!-- file: (.+?) -->\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


def blocks(language: str) -> list[str]:
    """Return the blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def rows(heading: str) -> dict[str, list[str]]:
    """Return the rows of the table below a heading: first cell to the others."""
    part = README.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line.strip("| ") for line in part.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.split(" | ")] for line in lines]
    return {first.strip("`"): others for first, *others in cells}


def test_every_setting_has_a_row_with_its_default() -> None:
    """Each field of the settings is documented, and no other, with the default of the code where it is a value."""
    documented = rows("Settings")
    fields = attrs.fields_dict(Sql.Settings)
    assert list(documented) == list(fields)
    for name, (_, default, _) in documented.items():
        assert default == f"`{fields[name].default}`" if fields[name].default else default.startswith("none"), name


def test_every_code_has_a_row() -> None:
    """Each code that the plugin raises is in the table, and no other."""
    folder = Path(ujr_plugin_sql.__file__).parent
    raised = {code for path in folder.glob("*.py") for code in re.findall(r'"(sql-[a-z-]+)"', path.read_text())}
    assert set(rows("Errors")) == raised


@pytest.mark.parametrize("number", [0, 1])
def test_the_configurations_have_no_fault(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are taken as they stand by a runner that has the plugin."""
    (tmp_path / "ujr.toml").write_text(blocks("toml")[number])
    monkeypatch.chdir(tmp_path)
    project = Runner("ujr.toml").project
    project.registry.close(lambda error: pytest.fail(str(error)))
    assert project.faults == ()


def test_the_first_job_is_there_as_shown(tmp_path: Path) -> None:
    """Who types what stands there gets what stands there, but for the time."""
    for name, content in FILE.findall(README):
        (tmp_path / name).write_text(content)
    (session,) = blocks("console")
    commands = re.findall(r"^\$ (.*)\n((?:[^$].*\n)*)", session, re.MULTILINE)
    assert len(commands) == 3
    for command, shown in commands:
        assert TIME.sub("TIME", typed(tmp_path, command)) == TIME.sub("TIME", shown)


def typed(folder: Path, command: str) -> str:
    """Return what a command says that is typed in a folder."""
    own = {key: value for key, value in os.environ.items() if not key.startswith(("UJR", "PYTHON", "LOGURU"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{own['PATH']}"
    environ = {**own, "PATH": path, "COLUMNS": "160", "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    done = subprocess.run(command, shell=True, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_table_is_the_one_that_is_created() -> None:
    """What the README shows of the table is what is created in PostgreSQL."""
    (shown,) = blocks("sql")
    made = str(CreateTable(table_of()).compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
    assert shown.rstrip(";\n").split() == made.split()


def test_the_error_reads_as_shown(on_sqlite: Jobs) -> None:
    """What the README shows of an error is what a broken row gives, in the words of this version."""
    on_sqlite.create()
    on_sqlite.run("INSERT INTO ujr_jobs (name, params) VALUES ('nightly', :text)", {"text": '{"a": '})
    assert f"{on_sqlite.refusal()}\n" == blocks("text")[0]
