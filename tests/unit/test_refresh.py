"""Refresh: what was changed is put in force whole, once it is at rest; what is wrong changes nothing."""

from __future__ import annotations

import logging
import os
import pathlib
import shutil
import threading
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from tests.unit.configured import Desk, Idle, job, names_of, source, table
from ujr_core.configuration.overrides import Overrides
from ujr_core.errors import ConfigError
from ujr_core.project import load_project
from ujr_core.refresh import Read, Refresh
from ujr_core.values import JobTable
from ujr_core.values.configured import Origin
from ujr_core.values.limits import Limit

NOTHING: tuple[list[str], list[str], list[str]] = ([], [], [])
FOUR = "".join(map(job, "abcd"))

pytestmark = pytest.mark.usefixtures("folder")


@pytest.fixture
def folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """Return the current folder, which is empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def texts(read: Read) -> list[str]:
    """Return the faults, each whole."""
    return [str(fault) for fault in read.faults]


def is_unchanged(read: Read | None) -> bool:
    """Tell whether a look has changed nothing."""
    return read is None or names_of(read) == NOTHING


# The configuration's own files.


def test_what_has_not_changed_is_not_read(folder: pathlib.Path) -> None:
    """However long it lasts."""
    desk = Desk(folder, text=FOUR)
    assert [desk.look(after) for after in (0, 1, 30, 1e6)] == [None] * 4


def test_an_edit_is_put_in_force_when_it_was_the_same_twice(folder: pathlib.Path) -> None:
    """Added, changed and removed jobs, and none of the others."""
    desk = Desk(folder, text=FOUR)
    desk.write(job("a") + job("b", "max_tasks = 3") + job("d") + job("e"))
    assert desk.look() is None
    assert names_of(desk.read()) == (["e"], ["b"], ["c"])
    assert desk.jobs == ["a", "b", "d", "e"]
    assert desk.project.jobs["b"].max_tasks == 3
    assert desk.look() is None


def test_a_job_that_is_as_it_was_is_the_same_object_and_knows_its_new_line(folder: pathlib.Path) -> None:
    """A comment above it restarts nothing, and an error still names the right line."""
    desk = Desk(folder, text=FOUR)
    before = dict(desk.project.jobs)
    assert is_unchanged(desk.edited("# a comment\n" + FOUR))
    assert all(desk.project.jobs[name] is one for name, one in before.items())
    assert [one.origin.where() for one in before.values()] == [f"ujr.toml:{line}" for line in (2, 5, 8, 11)]


def test_a_half_written_file_is_never_taken_as_long_as_it_grows(folder: pathlib.Path) -> None:
    """At every byte of it, though nearly half of all beginnings are valid and lack jobs (C01)."""
    text = FOUR.replace("\n\n", "\n") + job("e", "max_tasks = 12")
    desk = Desk(folder, text=text)
    for end in range(len(text)):
        desk.write(text[:end])
        assert desk.look() is None, text[:end]
    desk.write(text)
    assert desk.look() is None
    assert is_unchanged(desk.look())
    assert desk.jobs == list("abcde")


def test_a_file_that_stops_in_the_middle_of_a_value_is_taken_for_what_it_says_then(folder: pathlib.Path) -> None:
    """Nobody can tell; but the rest is read as soon as it comes."""
    desk = Desk(folder, text=job("a"))
    desk.edited('[jobs.a]\nplugin = "Idle"\nmax_tasks = 1')
    assert names_of(desk.edited('[jobs.a]\nplugin = "Idle"\nmax_tasks = 12')) == ([], ["a"], [])
    assert desk.project.jobs["a"].max_tasks == 12


def test_a_file_that_changes_while_it_is_read_is_read_again(folder: pathlib.Path) -> None:
    """What was read then may be half of the one and half of the other."""
    late = source("zoo")
    desk = Desk(folder, late, text=FOUR)
    late.answer = lambda: desk.write(FOUR + job("f"))
    assert is_unchanged(desk.edited(FOUR + job("e")))
    late.answer = None
    assert desk.look() is None
    assert names_of(desk.read()) == (["f"], [], [])


def test_a_change_is_read_again_if_reading_it_came_to_nothing(
    folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever went wrong, an edit is not lost: it is in force as soon as that is over. No such fault is known."""
    desk = Desk(folder, text=FOUR)

    def fails(*_: Any, **__: Any) -> NoReturn:
        raise MemoryError

    desk.write(FOUR + job("e"))
    assert desk.look() is None  # not yet at rest
    with monkeypatch.context() as broken:
        broken.setattr("ujr_core.refresh.consolidate", fails)
        with pytest.raises(MemoryError):
            desk.read()
    assert names_of(desk.read()) == (["e"], [], [])


@pytest.mark.parametrize("again", ["", FOUR])
@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[jobs.a\n", "error[config-malformed]"),
        (FOUR + "[jobs.a]\n", "error[config-malformed]"),
        (FOUR + job("e", "max_tasks = 0"), "error[config-wrong-value]"),
        (FOUR + job("e", "max_taks = 1"), "error[config-unknown-key]"),
        (FOUR + "[runner]\nworkers = -1\n", "error[config-wrong-value]"),
        (FOUR + "[limits]\napi = { concurrent = 0 }\n", "error[config-wrong-value]"),
        (FOUR + '[jobs.e]\nplugin = "Idel"\n', "error[plugin-unknown]"),
        (FOUR + job("e", 'executor = "dusk"'), "error["),
        (FOUR + job("e", 'params.key = { secret = "vualt:a" }'), "error[config-secret-provider]"),
        (FOUR + f"x = {'[' * 5000}", "error[config-malformed]"),
        ("\0", "error[config-malformed]"),
    ],
)
def test_a_broken_file_keeps_everything(folder: pathlib.Path, text: str, fault: str, again: str) -> None:
    """It is said once, with file and line, and the file as it was makes all well again (C02, C08)."""
    desk = Desk(folder, text=FOUR)
    before = desk.project
    read = desk.edited(text)
    assert desk.project is before
    assert names_of(read) == NOTHING
    assert len(read.faults) == 1
    assert str(read.faults[0]).startswith(fault)
    assert "ujr.toml:" in read.faults[0].where
    assert read.news == read.faults
    assert desk.state_of("toml") == "failed"
    assert desk.read(10).news == ()  # it is looked at again, and not said again
    if again:
        assert desk.edited(again).faults == ()
        assert desk.state_of("toml") == "good"


def test_a_missing_file_keeps_everything(folder: pathlib.Path) -> None:
    """One that is deleted is no empty one, whatever a person wants; its jobs stay until it is there again."""
    desk = Desk(folder, text=FOUR)
    desk.path.unlink()
    assert desk.look() is None
    assert [fault.code for fault in desk.read().faults] == ["config-missing"]
    assert [fault.code for fault in desk.read(is_meant=True).faults] == ["config-missing"]
    assert desk.jobs == list("abcd")
    assert names_of(desk.edited(FOUR + job("e"))) == (["e"], [], [])


def test_an_unreadable_file_keeps_everything(folder: pathlib.Path) -> None:
    """A folder has taken its place, which root cannot read either."""
    desk = Desk(folder, text=FOUR)
    desk.path.unlink()
    desk.path.mkdir()
    assert desk.look() is None
    assert [fault.code for fault in desk.read().faults] == ["config-unreadable"]
    assert desk.jobs == list("abcd")


def test_an_emptied_file_is_held_until_it_is_sure(folder: pathlib.Path, caplog: pytest.LogCaptureFixture) -> None:
    """Of four jobs more than half would go: that is done when it says so again ten seconds later, and said once."""
    desk = Desk(folder, text=FOUR)
    with caplog.at_level(logging.WARNING):
        assert is_unchanged(desk.edited(""))
        assert desk.state_of("toml") == "held"
        assert [is_unchanged(desk.look()) for _ in range(9)] == [True] * 9
        assert names_of(desk.read()) == ([], [], list("abcd"))
    assert [record.getMessage() for record in caplog.records] == [
        'config source "toml": it would remove 4 of its 4 jobs; that is done if it says so again 10 s later, '
        "or at once: ujr reload"
    ]
    assert desk.state_of("toml") == "good"


def test_an_emptied_file_is_taken_at_once_if_it_is_meant(folder: pathlib.Path) -> None:
    """`ujr reload` and HUP say so."""
    desk = Desk(folder, text=FOUR)
    desk.write("")
    assert names_of(desk.read(is_meant=True)) == ([], [], list("abcd"))


def test_three_jobs_may_go_at_once(folder: pathlib.Path) -> None:
    """So few are gone on purpose, mostly."""
    desk = Desk(folder, text=job("a") + job("b") + job("c"))
    assert names_of(desk.edited("")) == ([], [], list("abc"))


def test_half_of_the_jobs_may_go_at_once(folder: pathlib.Path) -> None:
    """More than half may not."""
    desk = Desk(folder, text=FOUR)
    assert names_of(desk.edited(job("a") + job("b"))) == ([], [], ["c", "d"])


def test_what_was_held_and_has_come_back_changes_nothing(folder: pathlib.Path) -> None:
    """And what else was changed in that file is put in force with it."""
    desk = Desk(folder, text=FOUR)
    desk.edited("")
    assert names_of(desk.edited(FOUR.replace("plugin", "max_tasks = 2\nplugin", 1))) == ([], ["a"], [])


def test_nothing_of_a_file_is_in_force_while_it_is_held(folder: pathlib.Path) -> None:
    """A limit that was changed with it is not, either: it is one configuration."""
    desk = Desk(folder, text=FOUR + "[limits]\napi = { concurrent = 2 }\n")
    desk.edited("[limits]\napi = { concurrent = 3 }\n")
    assert desk.project.main.limits == {"api": Limit(concurrent=2)}
    desk.read(10)
    assert desk.project.main.limits == {"api": Limit(concurrent=3)}


def _swap_link(folder: pathlib.Path, text: str) -> None:
    # As Kubernetes mounts a ConfigMap: ujr.toml -> ..data/ujr.toml, ..data -> the folder of a version.
    version = folder / f"..version-{len(list(folder.iterdir()))}"
    version.mkdir()
    (version / "ujr.toml").write_text(text)
    link = folder / "..draft"
    link.symlink_to(version.name)
    link.rename(folder / "..data")
    if not (folder / "ujr.toml").is_symlink():
        (folder / "ujr.toml").unlink()
        (folder / "ujr.toml").symlink_to("..data/ujr.toml")


def _rename_over(folder: pathlib.Path, text: str) -> None:
    (folder / "draft").write_text(text)
    (folder / "draft").rename(folder / "ujr.toml")


def _delete_and_create(folder: pathlib.Path, text: str) -> None:
    (folder / "ujr.toml").unlink()
    (folder / "ujr.toml").write_text(text)


def _write_in_place_and_set_the_time_back(folder: pathlib.Path, text: str) -> None:
    before = (folder / "ujr.toml").stat()
    (folder / "ujr.toml").write_text(text)
    os.utime(folder / "ujr.toml", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (folder / "ujr.toml").stat().st_size == before.st_size


@pytest.mark.parametrize("put", [_swap_link, _rename_over, _delete_and_create, _write_in_place_and_set_the_time_back])
def test_a_change_is_seen_however_it_is_made(folder: pathlib.Path, put: Callable[[pathlib.Path, str], None]) -> None:
    """Two hundred times, fifty each: what counts is the content, whatever became of the file (C05, C06)."""
    desk = Desk(folder, text=job("a", "max_tasks = 100"))
    for number in range(101, 151):
        put(folder, job("a", f"max_tasks = {number}"))
        assert desk.look() is None
        assert names_of(desk.read()) == ([], ["a"], []), number
        assert desk.project.jobs["a"].max_tasks == number


def test_files_beside_the_main_one_come_change_and_go(folder: pathlib.Path) -> None:
    """Those of ujr.d are seen as the main one is, the folder as well."""
    desk = Desk(folder, text=FOUR)
    assert names_of(desk.edited(job("e"), "ujr.d/more.toml")) == (["e"], [], [])
    assert names_of(desk.edited(job("e", "max_tasks = 1"), "ujr.d/more.toml")) == ([], ["e"], [])
    (folder / "ujr.d/more.toml").rename(folder / "ujr.d/most.toml")
    assert desk.look() is None
    assert is_unchanged(desk.read())
    assert desk.project.jobs["e"].origin.where() == "ujr.d/most.toml:1"
    (folder / "ujr.d/most.toml").unlink()
    assert desk.look() is None
    assert names_of(desk.read()) == ([], [], ["e"])


def test_one_broken_file_keeps_what_all_of_them_said(folder: pathlib.Path) -> None:
    """They are one configuration; every fault of each is named in one pass."""
    desk = Desk(folder, text=FOUR)
    desk.write(job("e"), "ujr.d/more.toml")
    read = desk.edited(job("a", "nodes = 1") + job("b", "max_tasks = 0") + job("c", "evry = 1"))
    assert [(fault.code, fault.where) for fault in read.faults] == [
        ("config-wrong-type", "ujr.toml:3, jobs.a.nodes"),
        ("config-wrong-value", "ujr.toml:6, jobs.b.max_tasks"),
        ("config-unknown-key", "ujr.toml:9, jobs.c.evry"),
    ]
    assert desk.jobs == list("abcd")
    desk.write("[", "ujr.d/most.toml")
    assert [fault.where.partition(":")[0] for fault in desk.edited("[").faults] == ["ujr.toml", "ujr.d/most.toml"]
    assert desk.jobs == list("abcd")


def test_a_configuration_in_pyproject_is_followed(folder: pathlib.Path) -> None:
    """Its table [tool.ujr]; what else stands there does not count, but for broken TOML."""
    text = '[tool.ujr.jobs.a]\nplugin = "Idle"\n'
    desk = Desk(folder, text=text, name="pyproject.toml")
    assert is_unchanged(desk.edited('[project]\nname = "x"\n' + text))
    assert desk.project.jobs["a"].origin.where() == "pyproject.toml:3"
    assert names_of(desk.edited(text + "[tool.ujr.jobs.b]\nplugin = 'Idle'\n")) == (["b"], [], [])
    assert [fault.code for fault in desk.edited("[project]\n").faults] == ["config-missing"]
    assert desk.jobs == ["a", "b"]


def test_overrides_survive_every_edit(folder: pathlib.Path) -> None:
    """What --set says wins over each new version of a file, for jobs and for limits."""
    overrides = Overrides(sets=("jobs.a.max_tasks=7", "limits.api.concurrent=5"))
    desk = Desk(folder, text=FOUR + "[limits]\napi = { concurrent = 2 }\n", overrides=overrides)
    assert is_unchanged(
        desk.edited(FOUR.replace("plugin", "max_tasks = 2\nplugin", 1) + "[limits]\napi = { concurrent = 3 }\n")
    )
    assert desk.project.jobs["a"].max_tasks == 7
    assert desk.project.main.limits == {"api": Limit(concurrent=5)}
    assert names_of(desk.edited(FOUR.replace("plugin", "timeout = 2\nplugin", 1))) == ([], ["a"], [])
    assert (desk.project.jobs["a"].max_tasks, desk.project.jobs["a"].timeout) == (7, 2.0)


def test_a_limit_that_is_changed_is_in_force(folder: pathlib.Path) -> None:
    """No job has changed by that."""
    desk = Desk(folder, text=FOUR + "[limits]\napi = { concurrent = 2 }\n")
    read = desk.edited(FOUR + "[limits]\napi = { concurrent = 3 }\ndb = { concurrent = 1 }\n")
    assert names_of(read) == NOTHING
    assert read.project.main.limits == {"api": Limit(concurrent=3), "db": Limit(concurrent=1)}
    assert read.needs_restart == ()


def test_what_needs_a_restart_is_named_as_long_as_it_is_so(folder: pathlib.Path) -> None:
    """Key by key, and not once it is as at the start; the jobs beside it are put in force all the same."""
    first = "[runner]\nworkers = 2\n[plugins.log]\nlevel = 'INFO'\n"
    desk = Desk(folder, text=first + FOUR)
    second = "[runner]\nworkers = 3\ncheck_interval = 9\n[node]\nname = 'n'\n[plugins.log]\nlevel = 'DEBUG'\n"
    read = desk.edited(second + FOUR + job("e"))
    assert names_of(read) == (["e"], [], [])
    assert read.needs_restart == ("runner.workers", "runner.check_interval", "node.name", "plugins.log")
    assert (read.project.main.runner, read.project.main.node, read.project.main.plugins) == (
        desk.refresh._first.runner,
        desk.refresh._first.node,
        desk.refresh._first.plugins,
    )
    assert desk.project.jobs["e"].check_interval == 1.0  # the default is the runner's, and that is of the start
    assert desk.edited(second + FOUR).needs_restart == read.needs_restart
    assert desk.edited(first + FOUR).needs_restart == ()


def test_what_the_command_line_says_of_plugins_needs_no_restart(folder: pathlib.Path) -> None:
    """`-v` puts a level over that of the file, which has not changed."""
    desk = Desk(folder, text=FOUR, settings={"log": {"level": "DEBUG"}})
    assert desk.edited(FOUR + job("e")).needs_restart == ()
    assert desk.project.main.plugins == {"log": {"level": "DEBUG"}}


# Other sources.


def test_a_source_is_read_when_it_is_due_and_no_sooner(folder: pathlib.Path) -> None:
    """Each 30 seconds, unless its table says otherwise; an edit of the files has all of them read."""
    slow, quick = source("slow"), source("quick")
    desk = Desk(folder, slow, quick, text="[plugins.quick]\nrefresh = '5s'\n" + FOUR)
    slow.answer, quick.answer = {"s": table()}, {"q": table()}
    assert desk.look(4.9) is None
    assert names_of(desk.read(0.2)) == (["q"], [], [])
    assert desk.look(4.9) is None
    desk.read(0.2)
    assert (slow.asked, quick.asked) == (1, 3)
    assert names_of(desk.read(20)) == (["s"], [], [])
    assert (slow.asked, quick.asked) == (2, 4)
    desk.edited("[plugins.quick]\nrefresh = '5s'\n" + FOUR + job("e"))
    assert (slow.asked, quick.asked) == (3, 5)


@pytest.mark.parametrize(
    "answer",
    [
        ValueError("no route to host"),
        SystemExit(3),
        KeyboardInterrupt(),
        ["a"],
        {"x": 1},
        {"x": {"plugn": "Idle"}},
        {1: {}},
    ],
)
def test_a_faulty_source_keeps_its_own_last_answer_and_no_other(folder: pathlib.Path, answer: Any) -> None:
    """It raises, or answers what nobody can take: the files' changes are put in force beside it, and it is asked on."""
    db = source("db", {"x": table(), "y": table()})
    desk = Desk(folder, db, text=FOUR)
    db.answer = answer
    read = desk.edited(FOUR + job("e"))
    assert names_of(read) == (["e"], [], [])
    assert desk.jobs == [*"abcde", "x", "y"]
    assert len(read.news) >= 1
    assert {name: one.state for name, one in desk.project.snapshots.items()} == {"db": "failed", "toml": "good"}
    asked = db.asked
    assert desk.look(0.9) is None
    assert desk.read(0.1).news == ()
    assert db.asked == asked + 1
    db.answer = {"x": table()}
    assert names_of(desk.read(10)) == ([], [], ["y"])
    assert desk.read(30).faults == ()


def test_a_source_that_has_failed_at_the_start_is_asked_a_second_later(folder: pathlib.Path) -> None:
    """Its jobs start when it answers; what was said of it at the start is not said again."""
    db = source("db", OSError("no route to host"))
    desk = Desk(folder, db, text=FOUR)
    assert [fault.code for fault in desk.project.source_warnings] == ["config-source"]
    assert desk.read().news == ()
    db.answer = {"x": table()}
    assert names_of(desk.read(2)) == (["x"], [], [])
    assert list(desk.project.source_warnings) == []
    db.answer = OSError("no route to host")
    assert len(desk.read(30).news) == 1


def test_a_source_that_has_lost_most_of_its_jobs_takes_none_of_the_others_along(folder: pathlib.Path) -> None:
    """The guard is of each source alone."""
    db = source("db", dict.fromkeys("vwxyz", table()))
    desk = Desk(folder, db, text=FOUR)
    db.answer = {}
    assert names_of(desk.edited(job("a") + job("b"))) == ([], [], ["c", "d"])
    assert desk.jobs == [*"ab", *"vwxyz"]
    assert names_of(desk.read(10)) == ([], [], [*"vwxyz"])


def test_a_job_of_two_sources_is_taken_from_whoever_had_it(folder: pathlib.Path) -> None:
    """The other is refused whole, with both places named, until one of the two lets go of it."""
    db = source("db", {"x": table()})
    desk = Desk(folder, db, text=FOUR)
    db.answer = {"x": table(), "y": table(), "a": table(max_tasks=9)}
    read = desk.read(30)
    assert names_of(read) == NOTHING
    assert texts(read) == [
        'error[config-job-twice]: two sources configure job "a"\n'
        "  where: db (db) and ujr.toml:1 (toml)\n"
        "  fix:   rename one of the two, or remove it"
    ]
    assert (desk.jobs, desk.project.jobs["a"].max_tasks) == ([*"abcd", "x"], None)
    read = desk.edited(FOUR.replace("jobs.a", "jobs.e"))
    assert names_of(read) == (["e", "y"], ["a"], [])
    assert read.faults == ()


def test_whoever_has_a_job_is_not_blamed_for_another_that_names_it(folder: pathlib.Path) -> None:
    """All sources are read at once, and the fault is told once; what else the holder says comes into force."""
    db = source("db", {"x": table()})
    desk = Desk(folder, db, text=FOUR)
    db.answer = {"x": table(max_tasks=2), "y": table()}
    desk.write(FOUR + job("x"))
    read = desk.read(is_meant=True)
    assert names_of(read) == (["y"], ["x"], [])
    assert [fault.code for fault in read.faults] == ["config-job-twice"]
    assert [fault.code for fault in read.news] == ["config-job-twice"]
    assert (desk.state_of("db"), desk.state_of("toml")) == ("good", "failed")


def test_an_override_of_a_job_that_is_gone_is_said(folder: pathlib.Path, caplog: pytest.LogCaptureFixture) -> None:
    """The next start with it would be refused."""
    desk = Desk(folder, text=job("a") + job("b"), overrides=Overrides(("jobs.b.max_tasks=1",)))
    assert names_of(desk.edited(job("a"))) == ([], [], ["b"])
    assert caplog.messages == [
        'there is no job "b" any more of which --set sets anything: a next start with it is refused'
    ]


def test_a_job_that_moves_to_another_source_is_not_touched(folder: pathlib.Path) -> None:
    """Both are read in one pass; where it stands by now is known."""
    db = source("db")
    desk = Desk(folder, db, text=FOUR)
    db.answer = {"d": table()}
    read = desk.edited(job("a") + job("b") + job("c"))
    assert names_of(read) == NOTHING
    assert desk.project.jobs["d"].origin.where() == "db"
    assert desk.project.consolidation.tables["d"].source == "db"


def test_all_faults_of_one_pass_come_together(folder: pathlib.Path) -> None:
    """Of every source, each with its place."""
    sql, web = source("sql"), source("web")
    desk = Desk(folder, sql, web, text=FOUR)
    sql.answer = {"x": JobTable(table(max_taks=1), Origin("jobs.db row 7"))}
    web.answer = ConfigError("http-status", "the server says 500", "http://127.0.0.1/jobs", "ask its owner")
    read = desk.edited(FOUR + job("e", "every = 1\ncron = '@daily'"))
    assert sorted((fault.code, fault.where) for fault in read.faults) == [
        ("config-two-schedules", "ujr.toml:16, jobs.e.cron"),
        ("config-unknown-key", "jobs.db row 7, jobs.x.max_taks"),
        ("http-status", "http://127.0.0.1/jobs"),
    ]
    assert desk.jobs == list("abcd")


def test_a_source_that_hangs_delays_a_look_once(folder: pathlib.Path) -> None:
    """For as long as fetch_timeout says; its last answer stays, and when it has answered after all it is asked on."""
    go = threading.Event()
    db = source("db", {"x": table()})
    desk = Desk(folder, db, text="[runner]\nfetch_timeout = 0.5\n" + FOUR)

    def wait() -> dict[str, Any]:
        go.wait(30)
        return {"x": table(), "y": table()}

    db.answer = wait
    read = desk.edited("[runner]\nfetch_timeout = 0.5\n" + FOUR + job("e"))
    assert names_of(read) == (["e"], [], [])
    assert desk.project.snapshots["db"].text == 'config_source of "db" has not answered for 500 ms'
    assert desk.read().news == ()
    assert db.asked == 2  # what hangs is not called again
    go.set()
    while (read := desk.read(10)).faults:
        pass  # its thread is about to end
    assert names_of(read) == (["y"], [], [])


def test_an_answer_that_its_source_goes_on_to_change_is_seen(folder: pathlib.Path) -> None:
    """A plugin may keep one object, and change it in place."""
    answer: dict[str, Any] = {"x": table(params={"n": [1, 2]}), "y": table()}
    desk = Desk(folder, source("db", answer), text=FOUR)
    answer["x"]["params"]["n"].append(3)
    assert names_of(desk.read(30)) == ([], ["x"], [])
    assert desk.project.jobs["x"].params == {"n": [1, 2, 3]}
    del answer["y"]
    answer["z"] = table()
    assert names_of(desk.read(30)) == (["z"], [], ["y"])


class Sealed(dict[str, Any]):
    """A table of a plugin's own, of which every one looks like every other."""

    def __repr__(self) -> str:
        return "<a table>"


def test_a_table_that_does_not_show_what_is_in_it_is_read_each_time(folder: pathlib.Path) -> None:
    """Two that look alike may differ; if they do not, nothing is done."""
    db = source("db", {"x": Sealed(table())})
    desk = Desk(folder, db, text=FOUR)
    assert is_unchanged(desk.read(30))
    db.answer = {"x": Sealed(table(max_tasks=2))}
    assert names_of(desk.read(30)) == ([], ["x"], [])


def test_a_value_of_another_type_is_a_change(folder: pathlib.Path) -> None:
    """A param that was 1 and is true is another one to its plugin, though Python holds them to be equal."""
    desk = Desk(folder, text=job("a", "params.n = 1"))
    assert names_of(desk.edited(job("a", "params.n = true"))) == ([], ["a"], [])
    assert desk.project.jobs["a"].params["n"] is True


def test_a_source_that_leaves_the_folder_is_brought_back(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """All tasks are at home in it."""
    db = source("db")
    desk = Desk(folder, db, text=FOUR)
    db.answer = lambda: os.chdir("/")
    desk.read(30)
    assert pathlib.Path.cwd() == tmp_path


def test_what_is_in_force_and_what_is_told_of_it_do_not_part(
    folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the comparison meets a bug of ours, the change comes with the next look."""
    desk = Desk(folder, text=FOUR)

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr("ujr_core.refresh.difference", broken)
        desk.write(FOUR + job("e"))
        assert desk.look() is None
        with pytest.raises(ZeroDivisionError):
            desk.look()
    assert desk.jobs == list("abcd")
    assert names_of(desk.read(is_meant=True)) == (["e"], [], [])


def test_a_folder_that_was_replaced_is_followed(folder: pathlib.Path) -> None:
    """A deployment may put another one in its place, and delete the one that the runner stands in."""
    desk = Desk(folder, text=FOUR)
    before = folder.with_name("before")
    folder.rename(before)
    folder.mkdir()
    desk.write(FOUR + job("e"))
    shutil.rmtree(before)
    desk.look()
    assert names_of(desk.read()) == (["e"], [], [])
    assert pathlib.Path.cwd() == folder


def test_a_wrong_table_of_another_source_ends_no_start(folder: pathlib.Path) -> None:
    """An application may write it; its source is left out, said, and asked again. The file's own faults end a start."""
    db = source("db", {"x": table(every="soon"), "y": table()})
    (folder / "ujr.toml").write_text('[runner]\ndisable_plugins = ["log"]\n' + job("a"))
    project = load_project(folder / "ujr.toml", (Idle(), db), discover=False)
    assert (project.faults, list(project.jobs)) == ((), ["a"])
    assert [fault.code for fault in project.source_warnings] == ["config-duration"]
    assert project.snapshots["db"].state == "failed"
    db.answer = {"x": table(every="1h"), "y": table()}
    read = Refresh(project).look(is_meant=True)
    assert read is not None
    assert names_of(read) == (["x", "y"], [], [])
