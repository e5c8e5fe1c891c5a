"""A real runner whose configuration is changed under it: exactly what changed is done, and nothing else is touched."""

from __future__ import annotations

import pathlib
import signal

import pytest

from tests import beside
from tests.docs.reader import follow, write_files
from tests.process.faults.processes import poll_until
from tests.process.reloaded import JOBS, Running, job, put, running
from ujr_core.errors import Faults, UJRError


def generation(runner: Running) -> int:
    """Return the number of the configuration that is in force."""
    return int(runner.configuration["generation"])


def test_sixty_reloads_touch_nothing_that_did_not_change(tmp_path: pathlib.Path) -> None:
    """A long task of an unchanged job finishes, begun once; by word, by HUP, or as the poll sees it (C03)."""
    jobs = {"long": job(), "beside": job(on_stop="finish"), "changed": job(params={"tasks": []})}
    with running(tmp_path, jobs) as runner:
        runner.wait_running("long", "beside")
        for number in range(60):
            before = generation(runner)
            runner.write({**jobs, "changed": job(params={"tasks": [], "n": number})})
            if number % 10 == 1:
                runner.process.signal(signal.SIGHUP)
            elif number % 30 != 2:
                assert runner.reload() == "0 jobs added, 1 changed, 0 removed"
            poll_until(lambda before=before: generation(runner) == before + 1)  # type: ignore[misc]
        assert (generation(runner), runner.row("long")["running"]) == (61, 1)
        assert [runner.fetched(name) for name in ("long", "beside")] == [1, 1]
        poll_until(lambda: runner.fetched("changed") == 61)
        for name in ("long", "beside"):
            runner.let_go(name)
            runner.wait_runs("succeeded", name)
            assert runner.runs("succeeded", name)[0]["id"] == runner.runs("started", name)[0]["id"]
        assert runner.runs("failed") == []
        assert runner.stop() == 0


def test_a_broken_and_then_an_emptied_file_stop_nothing(tmp_path: pathlib.Path) -> None:
    """All faults are told to whoever reloads and shown by the status; most jobs go only if that is meant."""
    jobs = {name: job() for name in "abcd"}
    with running(tmp_path, jobs) as runner:
        runner.wait_running(*"abcd")
        text = (tmp_path / "ujr.toml").read_text()
        put(tmp_path / "ujr.toml", text + '[jobs.e]\nplugin = "jobs"\nevry = 3\nmax_tasks = 0\n')
        with pytest.raises(Faults) as caught:
            runner.reload()
        line = text.count("\n") + 3
        assert sorted((fault.code, fault.where) for fault in caught.value.faults) == [
            ("config-unknown-key", f"ujr.toml:{line}, jobs.e.evry"),
            ("config-wrong-value", f"ujr.toml:{line + 1}, jobs.e.max_tasks"),
        ]
        shown = runner.configuration["last_reload"]["faults"]
        assert [fault["where"] for fault in shown] == [fault.where for fault in caught.value.faults]
        put(tmp_path / "ujr.toml", "")
        poll_until(lambda: runner.source("toml")["state"] == "held")
        assert runner.source("toml")["text"].startswith("it would remove 4 of its 4 jobs; ")
        assert (generation(runner), runner.ask("status")["running"]["count"]) == (1, 4)
        assert len(runner.runs("failed")) == 0
        assert runner.reload().startswith("0 jobs added, 0 changed, 4 removed; in force only after a restart: runner.")
        assert {runner.wait_runs("failed", name)[0]["kind"] for name in "abcd"} == {"cancelled"}
        put(tmp_path / "ujr.toml", text)
        assert runner.reload() == "4 jobs added, 0 changed, 0 removed"
        for name in "abcd":
            runner.wait_runs("started", name, 2)


def test_a_source_that_raises_is_no_empty_one(tmp_path: pathlib.Path) -> None:
    """Its jobs stay, those of the file are changed beside it, and it is well again when it answers (C11)."""
    with running(tmp_path, {"own": job()}, rows={"row": job()}) as runner:
        runner.wait_running("own", "row")
        runner.rows("no JSON")
        poll_until(lambda: runner.source("rows")["state"] == "failed")
        assert runner.source("rows")["text"].startswith('config source "rows" raised json.decoder.JSONDecodeError: ')
        runner.write({"own": job(), "new": job()})
        runner.wait_running("new")
        runner.rows({"row": job(), "more": job()})
        runner.wait_running("more")
        assert (runner.source("rows")["state"], runner.source("rows")["jobs"]) == ("good", 2)
        assert {len(runner.runs("started", name)) for name in ("own", "row", "new", "more")} == {1}
        assert runner.runs("failed") == []


def test_the_runs_of_a_removed_job_end_as_it_says_and_are_reported(tmp_path: pathlib.Path) -> None:
    """Cancelled with TERM, or at their own end; either way nothing of that job starts any more (C12)."""
    jobs = {"gone": job(), "leaving": job(on_stop="finish"), "stays": job()}
    with running(tmp_path, jobs) as runner:
        runner.wait_running(*jobs)
        runner.write({"stays": job()})
        assert runner.reload() == "0 jobs added, 0 changed, 2 removed"
        (cancelled,) = runner.wait_runs("failed", "gone")
        assert (cancelled["kind"], cancelled["signal"]) == ("cancelled", "SIGTERM")
        assert [row["name"] for row in runner.ask("list")["jobs"]] == ["stays"]
        assert sorted(run["job"] for run in runner.ask("status")["running"]["runs"]) == ["leaving", "stays"]
        runner.let_go("leaving")
        (succeeded,) = runner.wait_runs("succeeded", "leaving")
        assert succeeded["id"] == runner.runs("started", "leaving")[0]["id"]
        runner.let_go("stays")
        runner.wait_runs("started", "stays", 3)  # time passes, in which others could start
        assert {len(runner.runs("started", name)) for name in ("gone", "leaving")} == {1}


def test_each_setting_that_changes_does_what_the_reference_says(tmp_path: pathlib.Path) -> None:
    """Params restart their job, a timeout counts for the next run, a schedule is changed under the job."""
    jobs = {"params": job(), "timeout": job(), "every": job(every="1h")}
    with running(tmp_path, jobs) as runner:
        runner.wait_running(*jobs)
        firing = runner.row("every")["next_firing"]
        runner.write(
            {
                "params": job(params={"tasks": ["params", "second"]}),
                "timeout": job(timeout=0.2),
                "every": job(every="2h"),
            }
        )
        assert runner.reload() == "0 jobs added, 3 changed, 0 removed"
        assert runner.wait_runs("failed", "params")[0]["kind"] == "cancelled"
        assert {run["signature"] for run in runner.wait_runs("started", "params", 3)[1:]} == {"params", "second"}
        assert [runner.fetched(name) for name in jobs] == [2, 1, 1]
        assert runner.row("every")["next_firing"] > firing
        assert {len(runner.runs("started", name)) for name in ("timeout", "every")} == {1}
        runner.let_go("timeout")  # after it has run for longer than its new timeout
        runner.wait_runs("succeeded", "timeout")
        (tmp_path / "go-timeout").unlink()
        assert runner.wait_runs("failed", "timeout")[0]["kind"] == "timeout"


def test_a_limit_that_grows_lets_start_what_was_held_at_it(tmp_path: pathlib.Path) -> None:
    """And one that shrinks ends nothing: what runs keeps its places (C14)."""
    jobs = {"many": job(params={"tasks": ["one", "two", "three"], "uses": ["api"]})}
    with running(tmp_path, jobs, limits={"api": {"concurrent": 1}}) as runner:
        runner.wait_runs("started", "many")
        poll_until(lambda: runner.ask("status")["limits"][0]["held"] == 1)
        runner.write(jobs, limits={"api": {"concurrent": 3}})
        assert runner.reload() == "no job changed"
        runner.wait_runs("started", "many", 3)
        runner.write(jobs, limits={"api": {"concurrent": 1}})
        runner.reload()
        (limit,) = runner.ask("status")["limits"]
        assert (limit["concurrent"], limit["used"]) == (1, 3)
        assert runner.ask("status")["running"]["count"] == 3
        assert runner.runs("failed") == []


def test_a_job_that_is_disabled_or_for_another_node_stops_and_starts_again(tmp_path: pathlib.Path) -> None:
    """The list says why it does not run."""
    jobs = {"off": job(), "away": job()}
    with running(tmp_path, jobs) as runner:
        runner.wait_running(*jobs)
        runner.write({"off": job(enabled=False), "away": job(nodes=["another-*"])})
        assert runner.reload() == "0 jobs added, 0 changed, 2 removed"
        assert {runner.wait_runs("failed", name)[0]["kind"] for name in jobs} == {"cancelled"}
        poll_until(lambda: [runner.row(name)["running"] for name in jobs] == [0, 0])
        assert [runner.row(name)["state"] for name in jobs] == ["disabled", "elsewhere"]
        runner.write(jobs)
        assert runner.reload() == "2 jobs added, 0 changed, 0 removed"
        for name in jobs:
            runner.wait_runs("started", name, 2)


def test_a_job_that_moves_to_another_source_runs_on(tmp_path: pathlib.Path) -> None:
    """Nothing of it has changed but where it stands; while both name it, the two are told of it (C13)."""
    with running(tmp_path, {"moves": job(), "stays": job()}, plugins={"rows": {"refresh": "1h"}}) as runner:
        runner.wait_running("moves", "stays")
        runner.rows({"moves": job()})
        with pytest.raises(UJRError) as caught:
            runner.reload()
        assert caught.value.what == 'two sources configure job "moves"'
        runner.write({"stays": job()}, plugins={"rows": {"refresh": "1h"}})
        assert runner.reload() == "no job changed"
        assert runner.row("moves")["origin"] == "rows"
        assert (runner.fetched("moves"), runner.row("moves")["running"]) == (1, 1)
        assert len(runner.runs("started", "moves")) == 1


EXECUTOR = '''
"""An executor of the project's own."""

from concurrent.futures import ThreadPoolExecutor

from ujr_core import hookimpl


@hookimpl
def executor(node):
    return ThreadPoolExecutor(2)
'''


def test_a_reload_may_name_an_executor_that_is_not_open_yet(tmp_path: pathlib.Path) -> None:
    """The job restarts, and runs there (C14)."""
    (tmp_path / "threads.py").write_text(EXECUTOR)
    plugins = ["jobs", "rows", "threads", "tests.process.faults.report_file"]
    with running(tmp_path, {"swaps": job(), "stays": job()}, runner={"plugins": plugins}) as runner:
        runner.wait_running("swaps", "stays")
        runner.write({"swaps": job(executor="threads"), "stays": job()}, runner={"plugins": plugins})
        assert runner.reload() == "0 jobs added, 1 changed, 0 removed"
        assert runner.wait_runs("failed", "swaps")[0]["kind"] == "cancelled"
        runner.wait_runs("started", "swaps", 2)
        executors = {run["job"]: run["executor"] for run in runner.ask("status")["running"]["runs"]}
        assert executors == {"swaps": "threads", "stays": "local"}
        runner.let_go("swaps")
        runner.wait_runs("succeeded", "swaps")
        assert len(runner.runs("started", "stays")) == 1


def test_code_that_has_changed_on_disk_is_shown_and_takes_a_restart(tmp_path: pathlib.Path) -> None:
    """A reload imports nothing anew, so that no class is there twice (C15)."""
    with running(tmp_path, {"a": job()}) as runner:
        runner.wait_running("a")
        assert runner.configuration["code_changed"] == []
        (tmp_path / "jobs.py").write_text(JOBS.replace("[job.name]", '["other"]'))
        assert runner.reload() == "no job changed"
        assert runner.configuration["code_changed"] == ["jobs.py"]
        runner.let_go("a")
        assert {run["signature"] for run in runner.wait_runs("started", "a", 3)} == {"a"}
        (tmp_path / "jobs.py").write_text(JOBS)
        poll_until(lambda: runner.configuration["code_changed"] == [])


PAGE = "docs/how-to/change-a-running-configuration.md"


def test_the_page_of_changing_is_true(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Typed beside a runner of its configuration, it shows what it says."""
    monkeypatch.setattr("ujr_core.reloading.POLL", 3600.0)  # a busy one may see an edit before it is told to look
    project = tmp_path / "project"
    project.mkdir()
    write_files(PAGE, project)
    with beside.running(project, (project / "ujr.toml").read_text()):
        follow(PAGE, project)
