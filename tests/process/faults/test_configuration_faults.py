"""Faults of configurations: what a file or a source says is taken as it is meant, or not at all."""

from __future__ import annotations

import pathlib
import random
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.process.ujr_process import ujr
from tests.property.mutations import MUTATIONS, Mutation
from tests.unit.configured import Desk, job, names_of, source, table

FOUR = "".join(map(job, "abcd"))
EACH = 30


@pytest.fixture
def folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """Return the current folder, which is empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


RICH = FOUR + (
    '[limits]\napi = { concurrent = 2, rate = "900/15m" }\n[jobs.e]\nplugin = "Idle"\ncron = "30 2 * * *"\n'
    'timezone = "Europe/Berlin"\nparams = { "café" = [1, { x = "y" }], key = { secret = "env:KEY" } }\n'
)


@pytest.mark.parametrize("each", [EACH, pytest.param(2_000 // len(MUTATIONS), marks=pytest.mark.slow)])
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_no_mutation_of_a_file_touches_what_was_last_good(folder: pathlib.Path, mutation: Mutation, each: int) -> None:
    """Whatever becomes of the text: it is taken whole and without a fault, or nothing of it, and that is told (C02)."""
    desk, rng, refused = Desk(folder, text=RICH), random.Random(mutation.__name__), 0
    for _ in range(each):
        before = desk.project
        desk.path.write_bytes(mutation(RICH.encode(), rng))
        read = desk.read(is_meant=True)
        if read.faults:
            refused += 1
            assert desk.project is before
            assert names_of(read) == ([], [], [])
            assert all(fault.where.startswith("ujr.toml") and fault.fix for fault in read.faults)
    assert refused
    assert desk.edited(RICH).faults == ()


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("at = 12:30:00", "config-wrong-type"),
        ("enabled = no", "config-malformed"),
        ('enabled = "no"', "config-wrong-type"),
        ("max_tasks = 0600", "config-malformed"),
        ("max_tasks = 1.0", "config-wrong-type"),
        ("max_tasks = true", "config-wrong-type"),
        ("timeout = 1\ntimeout = 2", "config-malformed"),
        ('on = "x"', "config-unknown-key"),
    ],
)
def test_a_value_is_what_is_written_or_an_error(folder: pathlib.Path, written: str, code: str) -> None:
    """Half past twelve is no 750, "no" is no false, 0600 is no 384, and no key is there twice (C07)."""
    desk = Desk(folder, text=FOUR)
    assert [fault.code for fault in desk.edited(FOUR + job("e", written)).faults] == [code]
    assert desk.jobs == list("abcd")


def test_a_few_bytes_that_stand_for_a_billion_values_are_refused(folder: pathlib.Path) -> None:
    """TOML and JSON cannot say so; what a source makes of a format that can is told, and costs no time (C09)."""
    db = source("db")
    desk = Desk(folder, db, text=FOUR)
    bomb: list[Any] = []
    for _ in range(60):
        bomb = [bomb, bomb]
    db.answer = {"x": table(params={"bomb": bomb}), "y": table(nodes=bomb)}
    read = desk.edited(FOUR + job("e"))
    assert names_of(read) == (["e"], [], [])
    assert [str(fault) for fault in read.faults] == [
        f'error[config-wrong-value]: job "{name}" has a wrong value: it has more than 1,000,000 values\n'
        f"  where: db, jobs.{name}\n"
        "  fix:   write less; what stands for itself many times over is written out"
        for name in "xy"
    ]


class Closed(Mapping[str, Any]):
    """A table that is read from a connection that is closed."""

    def __getitem__(self, key: str) -> Any:
        raise OSError("the connection is closed")

    def __iter__(self) -> Iterator[str]:
        raise OSError("the connection is closed")

    def __len__(self) -> int:
        return 1


@pytest.mark.parametrize("broken", [Closed(), table(params=Closed()), table(params={"x": Closed()})])
def test_a_table_that_raises_when_it_is_read_is_its_sources_own_fault(folder: pathlib.Path, broken: object) -> None:
    """The source keeps its last answer, and the others' changes are put in force (C11)."""
    db = source("db", {"y": table()})
    desk = Desk(folder, db, text=FOUR)
    db.answer = {"x": broken}
    read = desk.edited(FOUR + job("e"))
    assert names_of(read) == (["e"], [], [])
    assert [str(fault) for fault in read.faults] == [
        'error[plugin-wrong-answer]: config_source of plugin "db" returned a table for "x" that raised OSError: '
        "the connection is closed\n"
        "  where: plugin db\n"
        "  fix:   return tables that can be read at any time, such as dicts"
    ]


def test_two_names_that_look_the_same_are_one(folder: pathlib.Path) -> None:
    """However their letters are put together; the two places are named (C13)."""
    db = source("db")
    desk = Desk(folder, db, text=FOUR + job('"caf\u00e9"'))
    db.answer = {"cafe\u0301": table()}
    (fault,) = desk.read(30).faults
    assert (fault.code, fault.where) == ("config-job-twice", "db (db) and ujr.toml:13 (toml)")
    assert desk.jobs == sorted([*"abcd", "caf\u00e9"])


def test_a_variable_that_is_not_set_is_no_empty_text(tmp_path: pathlib.Path) -> None:
    """The configuration replaces nothing in texts, and what a secret names must be there (C16)."""
    text = 'params = {{ argv = ["sh", "-c", "printf %s \\"$1\\" > said", "-", {value}] }}\n'
    before = '[runner]\nworkers = 1\n[jobs.a]\nplugin = "command"\n'
    (tmp_path / "ujr.toml").write_text(before + text.format(value='"${UNSET}/"'))
    assert ujr(tmp_path, "run", "--until-idle").returncode == 0
    assert (tmp_path / "said").read_text() == "${UNSET}/"
    (tmp_path / "said").unlink()
    (tmp_path / "ujr.toml").write_text(before + text.format(value='{ secret = "env:UNSET" }'))
    ended = ujr(tmp_path, "run", "--until-idle")
    assert ended.returncode == 1
    assert "UNSET" in ended.stderr
    assert not (tmp_path / "said").exists()
