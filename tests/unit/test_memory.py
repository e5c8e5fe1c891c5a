"""The memory: what outlives a runner is whole, private, and read by anyone who may."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import sqlite3
import stat
import subprocess
import sys

import attrs
import pytest

from ujr_core import memory
from ujr_core.errors import StateError
from ujr_core.memory import FILE, Memory, read_kept, read_over, read_starts
from ujr_core.scheduler.commands import Keep, KeepStarts
from ujr_core.values.kept import Kept

ROOT = pathlib.Path(__file__).parents[2]

NIGHTLY = Kept(
    first_seen=1_900_000_000.25,
    schedule="cron 0 3 * * * Europe/Berlin",
    settled=1_900_000_100.5,
    due=1_900_000_200.125,
    is_backfill=True,
    is_paused=True,
    last_run=1_900_000_300.0625,
    last_success=1_900_000_400.03125,
    paused_until=1_900_000_500.015625,
)
ONCE = Kept(1.5)


def write(folder: pathlib.Path, *written: Keep | KeepStarts) -> None:
    """Write it as a runner does that begins and ends."""
    file = Memory(folder)
    file.write(
        [one for one in written if isinstance(one, Keep)], [one for one in written if isinstance(one, KeepStarts)]
    )
    file.close()


def test_what_was_written_is_read(tmp_path: pathlib.Path) -> None:
    """Every time to the last bit, every flag, and nothing of one job at another."""
    write(tmp_path, Keep("nightly", NIGHTLY), Keep("once", ONCE), Keep("nächtlich", NIGHTLY))
    assert read_kept(tmp_path) == {"nightly": NIGHTLY, "once": ONCE, "nächtlich": NIGHTLY}
    assert read_kept(tmp_path)["nightly"].is_paused is True
    assert (read_over(tmp_path), read_starts(tmp_path)) == ({}, {})


@pytest.mark.parametrize("field", attrs.fields(Kept), ids=lambda field: field.name)
def test_no_field_is_taken_for_another(tmp_path: pathlib.Path, field: attrs.Attribute[object]) -> None:
    """Each field of what is kept has a column of its own."""
    other = attrs.evolve(ONCE, **{field.name: getattr(NIGHTLY, field.name)})
    write(tmp_path, Keep("job", other))
    assert read_kept(tmp_path) == {"job": other}


def test_what_is_over_is_over_until_the_next_firing(tmp_path: pathlib.Path) -> None:
    """What is over adds up, of each job, and a new firing begins with nothing but its own."""
    write(tmp_path, Keep("a", NIGHTLY, over=(b"1", b"2")), Keep("b", NIGHTLY, over=(b"1",)))
    write(tmp_path, Keep("a", NIGHTLY, over=(b"2", b"3")))
    assert read_over(tmp_path) == {"a": {b"1", b"2", b"3"}, "b": {b"1"}}
    write(tmp_path, Keep("a", NIGHTLY, is_new_firing=True, over=(b"4",)))
    assert read_over(tmp_path) == {"a": {b"4"}, "b": {b"1"}}
    write(tmp_path, Keep("a", NIGHTLY, is_new_firing=True))
    assert read_over(tmp_path) == {"b": {b"1"}}


def test_the_starts_of_a_limit_replace_what_was_written_of_it(tmp_path: pathlib.Path) -> None:
    """The window of a rate moves, and that of another limit does not move with it."""
    write(tmp_path, KeepStarts("api", ((1.5, 1), (2.5, 2))), KeepStarts("disk", ((1.5, 1),)))
    write(tmp_path, KeepStarts("api", ((2.5, 3), (3.5, 1))))
    assert read_starts(tmp_path) == {"api": ((2.5, 3), (3.5, 1)), "disk": ((1.5, 1),)}
    write(tmp_path, KeepStarts("api", ()))
    assert read_starts(tmp_path) == {"disk": ((1.5, 1),)}


def test_starts_of_a_limit_that_fall_on_one_instant_weigh_together(tmp_path: pathlib.Path) -> None:
    """Equal starts are as many as there were, also when more of them come."""
    write(tmp_path, KeepStarts("api", ((1.5, 1), (1.5, 1), (1.5, 2), (2.5, 1))))
    assert read_starts(tmp_path) == {"api": ((1.5, 4), (2.5, 1))}
    write(tmp_path, KeepStarts("api", ((1.5, 4), (2.5, 1), (2.5, 1))))
    assert read_starts(tmp_path) == {"api": ((1.5, 4), (2.5, 2))}


def test_where_no_runner_has_run_nothing_is_known_and_nothing_is_made(tmp_path: pathlib.Path) -> None:
    """A listing of a project that never ran leaves no trace."""
    folder = tmp_path / ".ujr"
    assert (read_kept(folder), read_over(folder), read_starts(folder)) == ({}, {}, {})
    assert not folder.exists()


def test_a_file_that_was_just_made_is_an_empty_memory(tmp_path: pathlib.Path) -> None:
    """A start that was killed before it had made the tables ends no later one."""
    (tmp_path / FILE).touch()
    assert read_kept(tmp_path) == {}
    write(tmp_path, Keep("once", ONCE))
    assert read_kept(tmp_path) == {"once": ONCE}


def test_nobody_else_may_read_any_file_of_it(tmp_path: pathlib.Path) -> None:
    """The file and those that SQLite puts beside it are 0600, whatever the umask, also while they are in use."""
    before = os.umask(0)
    try:
        file = Memory(tmp_path)
        file.write([Keep("once", ONCE)], [])
        read_kept(tmp_path)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        file.close()
    finally:
        os.umask(before)
    assert modes == {FILE: 0o600, f"{FILE}-wal": 0o600, f"{FILE}-shm": 0o600}
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_readers_and_the_runner_do_not_wait_for_each_other(tmp_path: pathlib.Path) -> None:
    """While a runner writes, a listing shows what was committed; while a listing reads, the runner writes."""
    file = Memory(tmp_path)
    file.write([Keep("once", ONCE)], [])
    with sqlite3.connect(tmp_path / FILE, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM jobs")
        assert read_kept(tmp_path) == {"once": ONCE}
        other.execute("ROLLBACK")
        other.execute("BEGIN")
        assert other.execute("SELECT count(*) FROM jobs").fetchone() == (1,)
        file.write([Keep("nightly", NIGHTLY)], [])
        other.execute("COMMIT")
    other.close()
    file.close()
    assert read_kept(tmp_path) == {"once": ONCE, "nightly": NIGHTLY}


def test_a_batch_that_cannot_be_written_leaves_nothing_of_itself(tmp_path: pathlib.Path) -> None:
    """All of a batch or nothing; and the same batch, mended, can be written afterwards."""
    file = Memory(tmp_path)
    no_name: str = None  # type: ignore[assignment]  # what a bug would hand over
    with pytest.raises(sqlite3.IntegrityError):
        file.write([Keep("once", ONCE)], [KeepStarts("api", ((1.5, 1),)), KeepStarts(no_name, ((1.5, 1),))])
    assert (read_kept(tmp_path), read_starts(tmp_path)) == ({}, {})
    file.write([Keep("once", ONCE)], [KeepStarts("api", ((1.5, 1),))])
    file.close()
    assert read_kept(tmp_path) == {"once": ONCE}


FORGETS = "it forgets when jobs were first seen and last ran, which firings are settled, pauses, and rates"


def refusals(folder: pathlib.Path) -> list[StateError]:
    """Return what a start and a listing say of the file."""
    raised = []
    for use in (Memory, read_kept):
        with pytest.raises(StateError) as caught:
            use(folder)
        raised.append(caught.value)
    return raised


def test_a_file_that_is_broken_is_told_with_what_its_loss_means(tmp_path: pathlib.Path) -> None:
    """Whoever deletes it knows what is forgotten."""
    (tmp_path / FILE).write_bytes(b"not a database at all" * 100)
    for refusal in refusals(tmp_path):
        assert str(refusal) == (
            "error[state-unusable]: the memory of earlier runners cannot be used: file is not a database\n"
            f"  where: {tmp_path / FILE}, runner.state_dir\n"
            f"  fix:   delete the file: {FORGETS}"
        )


def test_a_file_whose_pages_are_broken_is_told(tmp_path: pathlib.Path) -> None:
    """Damage behind a good first page is found when it is read, and not taken for an empty memory."""
    write(tmp_path, *(Keep(f"job-{number}", NIGHTLY) for number in range(500)))
    path = tmp_path / FILE
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    with pytest.raises(StateError, match=r"state-unusable.*malformed(?s:.*)delete the file"):
        read_kept(tmp_path)


def test_a_database_of_somebody_else_is_not_written_to(tmp_path: pathlib.Path) -> None:
    """Tables that are not ours are refused, and stay as they are."""
    with sqlite3.connect(tmp_path / FILE) as other:
        other.execute("CREATE TABLE jobs (mine)")
    other.close()
    with pytest.raises(StateError, match=r"table jobs already exists(?s:.*)delete the file"):
        Memory(tmp_path)


def test_a_folder_in_its_place_is_told(tmp_path: pathlib.Path) -> None:
    """What is in the way is named, with what to do."""
    (tmp_path / FILE).mkdir()
    for refusal in refusals(tmp_path):
        assert refusal.code == "state-unusable"
        assert refusal.where == f"{tmp_path / FILE}, runner.state_dir"
        assert refusal.fix == "remove what stands in its place, or make it readable and writable"


def test_the_file_of_a_newer_runner_is_refused_and_kept(tmp_path: pathlib.Path) -> None:
    """What a newer runner wrote is no older one's to read or to overwrite."""
    write(tmp_path, Keep("once", ONCE))
    with sqlite3.connect(tmp_path / FILE) as newer:
        newer.execute("PRAGMA user_version = 3")
    newer.close()
    for refusal in refusals(tmp_path):
        assert str(refusal) == (
            "error[state-version]: the memory of earlier runners has version 3, this one knows 2\n"
            f"  where: {tmp_path / FILE}, runner.state_dir\n"
            f"  fix:   use the version of ujr-core that wrote it, or delete the file: {FORGETS}"
        )


VERSION_1 = """
PRAGMA journal_mode = WAL;
CREATE TABLE jobs (
    job TEXT PRIMARY KEY,
    first_seen REAL NOT NULL,
    schedule TEXT NOT NULL,
    settled REAL,
    due REAL,
    is_backfill INTEGER NOT NULL,
    is_paused INTEGER NOT NULL,
    last_run REAL,
    last_success REAL
) WITHOUT ROWID;
CREATE TABLE over (job TEXT NOT NULL, digest BLOB NOT NULL, PRIMARY KEY (job, digest)) WITHOUT ROWID;
CREATE TABLE starts ("limit" TEXT NOT NULL, at REAL NOT NULL, weight INTEGER NOT NULL);
CREATE INDEX starts_of_limit ON starts ("limit", at);
INSERT INTO jobs VALUES ('nightly', 1900000000.25, 'cron 0 3 * * * Europe/Berlin', 1900000100.5, 1900000200.125, 1, 1,
    1900000300.0625, 1900000400.03125);
INSERT INTO jobs VALUES ('once', 1.5, '', NULL, NULL, 0, 0, NULL, NULL);
INSERT INTO over VALUES ('nightly', X'0102');
INSERT INTO starts VALUES ('api', 1.5, 2);
PRAGMA user_version = 1;
"""
"""As the first version of the tables was made, and filled."""

OF_VERSION_1 = {"nightly": attrs.evolve(NIGHTLY, paused_until=None), "once": ONCE}


@pytest.fixture
def old(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder with a memory of the first version."""
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as file:
        file.executescript(VERSION_1)
    return tmp_path


def version_of(folder: pathlib.Path) -> int:
    """The version of the tables of a memory."""
    with contextlib.closing(sqlite3.connect(folder / FILE)) as file:
        return int(file.execute("PRAGMA user_version").fetchone()[0])


def test_a_memory_of_the_first_version_is_read_as_it_is(old: pathlib.Path) -> None:
    """A listing changes nothing: what stands there, a pause among it, has no end."""
    assert read_kept(old) == OF_VERSION_1
    assert read_over(old) == {"nightly": {b"\x01\x02"}}
    assert read_starts(old) == {"api": ((1.5, 2),)}
    assert version_of(old) == 1


def test_a_memory_of_the_first_version_is_gone_on_with(old: pathlib.Path) -> None:
    """A runner that starts on it brings it up to date, with all that it holds, and writes what is new."""
    Memory(old).close()
    assert version_of(old) == 2
    assert (read_kept(old), read_starts(old)) == (OF_VERSION_1, {"api": ((1.5, 2),)})
    assert read_over(old) == {"nightly": {b"\x01\x02"}}
    write(old, Keep("nightly", NIGHTLY))
    assert read_kept(old) == {"nightly": NIGHTLY, "once": ONCE}


def test_a_memory_that_cannot_be_brought_up_to_date_stays_as_it_was(old: pathlib.Path) -> None:
    """All of it or nothing: what went wrong half-way can be tried again."""
    with contextlib.closing(sqlite3.connect(old / FILE)) as file:
        file.execute("ALTER TABLE jobs ADD COLUMN paused_until REAL")  # somebody else's idea
    with pytest.raises(StateError, match=r"duplicate column name(?s:.*)delete the file"):
        Memory(old)
    assert version_of(old) == 1
    assert read_starts(old) == {"api": ((1.5, 2),)}


def test_a_file_that_somebody_has_locked_is_told(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A start that cannot read what it goes on with says who is in its way."""
    monkeypatch.setattr(memory, "PATIENCE", 0.0)
    write(tmp_path, Keep("once", ONCE))
    with sqlite3.connect(tmp_path / FILE, isolation_level=None) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        for refusal in refusals(tmp_path):
            assert refusal.what == "the memory of earlier runners cannot be used: database is locked"
            assert "no other program has the file open" in refusal.fix
    other.close()


WRITES = """
import pathlib, sys
from ujr_core.memory import Memory
from ujr_core.scheduler.commands import Keep
from ujr_core.values.kept import Kept

file = Memory(pathlib.Path(sys.argv[1]))
for number in range(1, 1_000_000):
    kept = Kept(1.0, settled=float(number))
    file.write([Keep("a", kept, over=(b"%d" % number,)), Keep("b", kept)], [])
    print(number, flush=True)
"""


def killed_while_it_writes(folder: pathlib.Path, after: int) -> int:
    """Have a process write batch after batch, kill it, and return the number of the last one that it spoke of."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITES, folder], stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(ROOT)}
    ) as writer:
        assert writer.stdout
        for _ in range(after):
            writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read().split(b"\n")
        return after + len(rest) - 1


@pytest.mark.parametrize("after", [1, 7, 300])
def test_a_kill_loses_nothing_that_was_written(tmp_path: pathlib.Path, after: int) -> None:
    """After a SIGKILL each batch is there as a whole up to the last that was written, for a listing and for a start."""
    last = killed_while_it_writes(tmp_path, after)
    kept = read_kept(tmp_path)
    assert kept["a"] == kept["b"]
    assert kept["a"].settled in (last, last + 1)  # it may have been killed before it spoke of it
    assert read_over(tmp_path) == {"a": {b"%d" % (number + 1) for number in range(int(kept["a"].settled or 0))}}
    Memory(tmp_path).close()
    assert read_kept(tmp_path) == kept


def test_deleting_the_file_of_a_runner_that_was_killed_forgets_all_of_it(tmp_path: pathlib.Path) -> None:
    """What SQLite left beside it is not taken for what a later file holds."""
    killed_while_it_writes(tmp_path, 3)
    assert (tmp_path / f"{FILE}-wal").stat().st_size > 0
    (tmp_path / FILE).unlink()
    Memory(tmp_path).close()
    assert read_kept(tmp_path) == {}
