"""What a runner tells of itself is so: whole runners beside the test, and the census of jobs by itself."""

from __future__ import annotations

import math
import os
import pathlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.beside import PATIENCE, Beside, running
from tests.world import Ends, World
from ujr_core import Job, Secret, Task, hookimpl, redact
from ujr_core.control.census import MOST_NOTED, Noted, census_of
from ujr_core.control.wire import MOST_TEXT, Answer, answer_line
from ujr_core.dispatch import MOST_FAILURES
from ujr_core.errors import Faults, StateError
from ujr_core.overview import PAGE, Dump
from ujr_core.overview.whole import MOST_FAULTS
from ujr_core.scheduler import State, step
from ujr_core.scheduler.events import JobAdded, JobHeldUp, JobReady, JobRefused
from ujr_core.scheduler.explaining import explain, state_of
from ujr_core.scheduler.phases import JobPhase
from ujr_core.strand import Strand
from ujr_core.testing import FakeClock
from ujr_core.values import JobConfig

HEAD = '[runner]\ndisable_plugins = ["log"]\nworkers = 2\n'


def nothing() -> list[Any]:
    """Answer that nothing is to be done."""
    return []


# The census.


def test_each_job_is_counted_in_the_state_that_explain_gives() -> None:
    """Whatever jobs are doing, those that a person paused too; what is all right is noted nowhere."""
    world = World(workers=1)
    world.details["waits"] = [JobHeldUp("waits", "the vault is sealed")]
    world.details["fails"] = [JobRefused("fails", "there is no such secret")]
    world.job("waits", nothing)
    world.job("fails", nothing)
    world.job("rests", nothing)
    world.job("raises", _raise, check_interval=3600.0)
    world.job("given-up", _raise, give_up_after=1)
    world.job("paused", nothing)
    world.job("runs", lambda: ["x"])
    world.ends["x"] = Ends(seconds=10.0)
    world.pause(0.1, "paused", until=7200.0)
    world.run(until=0.2)
    census = census_of(world.state, world.now)
    assert census.by_state == {"failed": 1, "paused": 1, "quarantined": 1, "resting": 2, "running": 1, "waiting": 1}
    assert census.noted == (
        Noted("waits", "waiting", "it waits for what it needs to start: the vault is sealed"),
        Noted("fails", "failed", "it cannot start: there is no such secret"),
        Noted("raises", "backing off", "its hook raised 1 times in a row, and backs off: no world"),
        Noted("given-up", "quarantined", explain(world.state, "given-up", world.now).text),
        Noted("paused", "paused", explain(world.state, "paused", world.now).text),
    )


def _raise() -> list[Any]:
    raise LookupError("no world")


def test_a_job_that_has_backed_off_is_noted_no_more() -> None:
    """Only while its hook waits."""
    world = World()
    world.job("raises", _raise, check_interval=3600.0)
    world.run(until=0.2)
    job = world.state.jobs["raises"]
    assert census_of(world.state, job.hook_until - 0.001).noted
    assert not census_of(world.state, job.hook_until).noted


PHASES = st.sampled_from([*JobPhase])


@given(jobs=st.lists(st.tuples(PHASES, st.booleans(), st.booleans(), st.sampled_from([-math.inf, 5.0])), max_size=30))
def test_the_census_is_what_explaining_each_job_would_come_to(jobs: list[tuple[JobPhase, bool, bool, float]]) -> None:
    """It counts in few steps, and as explain does; noted are the first of those that are not as they should be."""
    state = State(workers=1)
    for number, (phase, is_paused, is_hung, hook_until) in enumerate(jobs):
        step(state, [JobAdded(JobConfig(f"job-{number}", "x"))], 0.0)
        job = state.jobs[f"job-{number}"]
        job.phase, job.is_paused, job.is_hung, job.hook_until = phase, is_paused, is_hung, hook_until
    census = census_of(state, 1.0)
    assert census.by_state == Counter(map(state_of, state.jobs.values()))
    wrong = ["waiting", "failed", "hung", "quarantined", "paused", "stopping"]
    expected = [job.name for job in state.jobs.values() if state_of(job) in wrong or job.hook_until > 1.0]
    assert [one.job for one in census.noted] == expected[:MOST_NOTED]
    for one in census.noted:
        assert one.state in ("backing off", state_of(state.jobs[one.job]))
        assert (one.state == "backing off") == (state_of(state.jobs[one.job]) not in wrong)


def test_ten_thousand_jobs_are_counted_in_a_moment() -> None:
    """It is done once a second while somebody watches, and the loop does nothing else meanwhile."""
    state = State(workers=1)
    names = [f"job-{number}" for number in range(10_000)]
    step(state, [JobAdded(JobConfig(name, "x", cron="0 6 * * *")) for name in names], 0.0)
    step(state, map(JobReady, names), 0.0)
    took = []
    for _ in range(10):
        began = time.thread_time()  # of the processor, which no other test takes from it
        assert census_of(state, 1.0).by_state == {"resting": 10_000}
        took.append(time.thread_time() - began)
    assert min(took) < 0.012


# What runs, and what has run.


class Stations:
    """A job whose tasks wait, fail, or leak a secret, as its params say; each is named once."""

    def __init__(self) -> None:
        self._named: set[str] = set()

    @hookimpl
    def get_runnable_tasks(self, job: Job) -> Iterator[Task]:
        """Name those that it has not named yet."""
        for number, text in enumerate(job.params["texts"]):
            signature = f"{job.name}-{number}"
            if signature not in self._named:
                self._named.add(signature)
                yield Task(report, (text,), signature=signature, label=f"{job.name} {number}")


def report(text: str) -> None:
    """Read from a FIFO until somebody has written, or fail with a text; "" succeeds."""
    if text.startswith("/"):
        with open(text, "rb") as fifo:
            fifo.read()
    elif text:
        raise ValueError(text)


def job_of(name: str, *texts: str, more: str = "") -> str:
    """Return the table of a job, each task of which does what a text says."""
    return f'[jobs.{name}]\nplugin = "Stations"\n{more}\nparams.texts = {list(texts)!r}\n'


@pytest.fixture
def fifo(tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Return a FIFO that tasks wait at, and let go at the end what waits there."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    holder = os.open(path, os.O_RDWR)  # so that to open it never waits
    yield path
    os.close(holder)


def test_what_runs_is_shown_with_the_time_it_began(tmp_path: pathlib.Path, fifo: pathlib.Path) -> None:
    """The oldest first; and it is gone from there when it has ended."""
    text = HEAD + job_of("north", str(fifo), more='executor = "local"') + job_of("south", str(fifo))
    with running(tmp_path, text, [Stations()]) as runner:
        before = time.time()
        runner.seen.wait_for("north 0", "started")
        runner.ask("trigger", "south")
        _wait_until(runner, lambda status: status["running"]["count"] == 2)
        status = runner.status
        first, second = sorted(status["running"]["runs"], key=lambda run: str(run["job"]))
        assert first["id"].startswith(f"{status['runner']['id']}-")
        assert {key: first[key] for key in ("job", "label", "signature", "attempt", "executor")} == {
            "job": "north", "label": "north 0", "signature": "north-0", "attempt": 1, "executor": "local",
        }  # fmt: skip
        assert first["function"] == f"{report.__module__}.report"
        assert second["label"] == "south 0"
        since = [run["since"] for run in status["running"]["runs"]]
        assert before - 1 < since[0] <= since[1] <= status["now"] + 1
        assert status["executors"] == [{"name": "local", "capacity": 2, "busy": 2, "text": ""}]
        runner.ask("cancel", "north")
        runner.seen.wait_for("north 0", "cancelled")
        status = runner.status
        assert [run["job"] for run in status["running"]["runs"]] == ["south"]
        assert status["counts"] == {"succeeded": 0, "failed": 0}


def _wait_until(runner: Beside, has_come: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not has_come(runner.status):
        assert time.monotonic() < deadline, runner.status


def test_the_last_failures_are_shown_the_newest_first(tmp_path: pathlib.Path) -> None:
    """Ten of them, and all are counted; what succeeded is, too."""
    texts = [f"broken {number}" for number in range(MOST_FAILURES + 3)]
    text = HEAD.replace("workers = 2", "workers = 1") + job_of("north", "", *texts, more="backoff.first = 100")
    with running(tmp_path, text, [Stations()]) as runner:
        runner.seen.wait_for(f"north {len(texts)}", "error")
        status = runner.status
    assert status["counts"] == {"succeeded": 1, "failed": len(texts)}
    failures = status["failures"]
    assert [one["message"] for one in failures] == texts[: -MOST_FAILURES - 1 : -1]
    first = failures[0]
    assert (first["job"], first["kind"], first["attempt"]) == ("north", "error", 1)
    assert (first["label"], first["signature"]) == (f"north {len(texts)}", f"north-{len(texts)}")
    assert sorted((one["at"] for one in failures), reverse=True) == [one["at"] for one in failures]
    assert status["runner"]["since"] <= first["at"] <= status["now"] + 1


def test_a_secret_in_a_failure_is_not_shown(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor in a signature, or a label, or the text of a job that cannot go on."""
    monkeypatch.setattr(redact, "_NEEDLES", {})
    monkeypatch.setattr(redact, "_KNOWN", frozenset())
    redact.remember(Secret("correct-horse", name="PW"))
    with running(tmp_path, HEAD + job_of("north", "401 for correct-horse"), [Stations(), Leaks()]) as runner:
        runner.seen.wait_for("north 0", "error")
        (tmp_path / "ujr.toml").write_text(HEAD + job_of("north", "x") + '[jobs.leaks]\nplugin = "Leaks"\n')
        runner.ask("reload")
        runner.seen.wait_for("leaks", "raising")
        told = answer_line(runner.status) + answer_line(runner.ask("show", "leaks"))
    assert b"401 for <Secret PW>" in told
    assert b"no use of <Secret PW>" in told
    assert b"correct-horse" not in told


class Leaks:
    """A job whose hook raises with a secret."""

    @hookimpl
    def get_runnable_tasks(self, job: Job) -> list[Task]:
        """Raise."""
        raise LookupError("no use of correct-horse")


def test_what_is_long_is_cut_and_no_secret_in_two(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty signatures of a megabyte would be an answer that nobody reads; half of a secret says half of it."""
    monkeypatch.setattr(redact, "_NEEDLES", {})
    monkeypatch.setattr(redact, "_KNOWN", frozenset())
    redact.remember(Secret("correct-horse", name="PW"))
    message = "x" * (MOST_TEXT - 7) + "correct-horse" + "y" * 100_000
    with running(tmp_path, HEAD + job_of("north", message), [Stations()]) as runner:
        runner.seen.wait_for("north 0", "error")
        (failure,) = runner.status["failures"]
    assert failure["message"] == "x" * (MOST_TEXT - 7) + "<Secret" + "…"


def test_a_limit_shows_how_many_use_it_and_how_many_wait(tmp_path: pathlib.Path, fifo: pathlib.Path) -> None:
    """Used by one, the other one is held."""
    text = HEAD + "[limits]\napi = { concurrent = 1 }\n"
    jobs = "".join(f'[jobs.{name}]\nplugin = "Uses"\nparams.fifo = "{fifo}"\n' for name in ("north", "south"))
    with running(tmp_path, text + jobs, [Uses()]) as runner:
        _wait_until(runner, lambda status: status["limits"][0]["held"])
        assert runner.status["limits"] == [{"name": "api", "concurrent": 1, "used": 1, "held": 1}]


class Uses:
    """A job whose task takes a place at a limit."""

    @hookimpl
    def get_runnable_tasks(self, job: Job) -> Iterator[Task]:
        """Name it."""
        yield Task(report, (job.params["fifo"],), signature=job.name, uses=("api",))


class Deaf:
    """A reporter that waits in its first call."""

    def __init__(self) -> None:
        self.may_go_on = threading.Event()
        self.is_called = threading.Event()

    @hookimpl
    def task_started(self, run: Any) -> None:
        """Wait."""
        self.is_called.set()
        assert self.may_go_on.wait(PATIENCE)


def test_a_reporter_that_is_behind_is_shown(tmp_path: pathlib.Path) -> None:
    """With how many reports wait for it."""
    deaf = Deaf()
    with running(tmp_path, HEAD + job_of("north", "", ""), [Stations(), deaf]) as runner:
        runner.seen.wait_for("north 1", "succeeded")
        assert deaf.is_called.wait(PATIENCE)
        _wait_until(runner, lambda status: _behind(status, "Deaf") == {"name": "Deaf", "waiting": 1, "dropped": 0})
        _wait_until(runner, lambda status: not _behind(status, "Seen")["waiting"])
        deaf.may_go_on.set()
        _wait_until(runner, lambda status: not _behind(status, "Deaf")["waiting"])


def _behind(status: Mapping[str, Any], name: str) -> Any:
    return next(one for one in status["reporters"] if one["name"] == name)


# The runner and its configuration.


def test_who_runs_what_is_shown(tmp_path: pathlib.Path) -> None:
    """Process, version, mode, file; and that it is stopping."""
    import ujr_core

    with running(tmp_path, HEAD + "[node]\nname = 'collector-1'\n" + job_of("north"), [Stations()]) as runner:
        told = runner.status["runner"]
    assert told.pop("since") <= time.time()
    assert len(told.pop("id")) == 8
    assert told == {
        "pid": os.getpid(),
        "version": ujr_core.__version__,
        "node": "collector-1",
        "workers": 2,
        "mode": "forever",
        "state": "running",
        "config": str(tmp_path / "ujr.toml"),
    }


def test_a_runner_that_stops_says_so(tmp_path: pathlib.Path, fifo: pathlib.Path) -> None:
    """For as long as something runs."""
    with running(tmp_path, HEAD + job_of("north", str(fifo)), [Stations()]) as runner:
        runner.seen.wait_for("north 0", "started")
        runner.ask("stop")
        assert runner.status["runner"]["state"] == "stopping"
        assert runner.status["running"]["count"] == 1


def test_of_very_many_faults_some_are_told_and_all_are_counted(tmp_path: pathlib.Path) -> None:
    """A program that writes a configuration makes its mistake in every job; to tell it all would hold up the loop."""
    with running(tmp_path, HEAD + job_of("north"), [Stations()]) as runner:
        wrong = "".join(f"[jobs.j{number}]\nplugin = 'Stations'\ntimout = 1\n" for number in range(200))
        (tmp_path / "ujr.toml").write_text(HEAD + wrong)
        with pytest.raises(Faults) as refused:
            runner.ask("reload")
        last = runner.status["configuration"]["last_reload"]
    assert len(refused.value.faults) == len(last["faults"]) == MOST_FAULTS
    assert last["count"] == 200


def test_what_came_of_a_reload_is_shown(tmp_path: pathlib.Path) -> None:
    """Generation, time and words; what takes a restart; and after a broken edit its faults, with their places."""
    with running(tmp_path, HEAD + job_of("north"), [Stations()]) as runner:
        before = runner.status["configuration"]
        assert (before["generation"], before["last_reload"], before["needs_restart"]) == (1, None, [])
        (tmp_path / "ujr.toml").write_text(HEAD.replace("2", "3") + job_of("north") + job_of("south"))
        assert runner.ask("reload")["text"] == (
            "1 job added, 0 changed, 0 removed; in force only after a restart: runner.workers"
        )
        after = runner.status["configuration"]
        assert after["generation"] == 2
        assert after["loaded_at"] >= before["loaded_at"]
        assert after["needs_restart"] == ["runner.workers"]
        assert (after["last_reload"]["ok"], after["last_reload"]["faults"]) == (True, [])
        (tmp_path / "ujr.toml").write_text(HEAD + "[jobs.north]\nplugin = 'Statoins'\n")
        with pytest.raises(Faults):
            runner.ask("reload")
        broken = runner.status["configuration"]
    assert broken["generation"] == 2
    assert broken["last_reload"]["ok"] is False
    (fault,) = broken["last_reload"]["faults"]
    assert (fault["code"], fault["fix"]) == ("plugin-unknown", 'did you mean "Stations"?')
    assert fault["where"].startswith("ujr.toml:5, jobs.north.plugin")
    assert [(one["name"], one["state"], one["jobs"]) for one in broken["sources"]] == [("toml", "failed", 2)]


def test_a_runner_that_ends_by_itself_reads_its_configuration_once(tmp_path: pathlib.Path, fifo: pathlib.Path) -> None:
    """A reload is refused, and it goes on; its status tells of the one generation."""
    with running(tmp_path, HEAD + job_of("north", str(fifo)), [Stations()], until_idle=True) as runner:
        runner.seen.wait_for("north 0", "started")
        with pytest.raises(StateError) as caught:
            runner.ask("reload")
        status = runner.status
    assert str(caught.value) == (
        "error[runner-reads-once]: this runner ends by itself, and reads its configuration once\n"
        "  where: ujr reload\n"
        "  fix:   wait for its end, and start it again"
    )
    assert status["runner"]["mode"] == "until idle"
    assert (status["configuration"]["generation"], status["configuration"]["last_reload"]) == (1, None)


class Table:
    """A config source that answers what it is given, or raises."""

    def __init__(self, *names: str) -> None:
        self.jobs: dict[str, Any] = {name: {"plugin": "Stations", "params": {"texts": []}} for name in names}
        self.error: Exception | None = None

    @hookimpl
    def config_source(self, start: Any) -> Mapping[str, Any]:
        """Answer."""
        if self.error is not None:
            raise self.error
        return dict(self.jobs)


def test_each_source_is_shown_with_how_it_fares(tmp_path: pathlib.Path) -> None:
    """Good, failed and why, well again; with how many jobs are in force of it, and when it is read next."""
    table = Table("a", "b")
    with running(tmp_path, HEAD + '[plugins.Table]\nrefresh = "1h"\n' + job_of("n"), [Stations(), table]) as runner:
        own, good = sorted(runner.status["configuration"]["sources"], key=lambda one: str(one["name"] != "toml"))
        assert (own["name"], own["jobs"], own["next_read"]) == ("toml", 1, None)
        assert (good["name"], good["state"], good["jobs"], good["text"]) == ("Table", "good", 2, "")
        assert good["next_read"] == pytest.approx(good["read_at"] + 3600)
        table.error = ConnectionError("the table is gone")
        with pytest.raises(Faults):
            runner.ask("reload")
        failed = next(one for one in runner.status["configuration"]["sources"] if one["name"] == "Table")
        assert (failed["state"], failed["jobs"], failed["read_at"]) == ("failed", 2, good["read_at"])
        assert "the table is gone" in failed["text"]
        table.error = None
        runner.ask("reload")
        again = next(one for one in runner.status["configuration"]["sources"] if one["name"] == "Table")
        assert (again["state"], again["text"]) == ("good", "")


# What is written into the log.


@attrs.define
class Told:
    """An overview that counts how often it was looked at."""

    looks: int = 0

    def status(self, now: float) -> Answer:
        """Return that."""
        self.looks += 1
        if self.looks > 2:
            raise ZeroDivisionError
        return {"looks": self.looks}


class Held(Strand):
    """A strand that does its work when a test says so."""

    def __init__(self) -> None:
        self.works: list[Callable[[], None]] = []

    def post(self, work: Callable[[], None]) -> None:
        """Keep it."""
        self.works.append(work)


def test_a_dump_is_written_once_however_often_it_is_wanted(caplog: pytest.LogCaptureFixture) -> None:
    """A flood of signals at a log that is stuck costs the loop one look; later it can be had again."""
    told, strand = Told(), Held()
    dump = Dump(told, strand=strand, clock=FakeClock())  # type: ignore[arg-type]  # it looks at nothing else
    for _ in range(1_000):
        assert dump() == ()
    assert (told.looks, len(strand.works)) == (1, 1)
    strand.works.pop()()
    assert caplog.messages == ['this is how the runner is:\n{\n  "looks": 1\n}']
    dump()
    assert told.looks == 2


def test_a_dump_that_meets_a_bug_ends_no_loop(caplog: pytest.LogCaptureFixture) -> None:
    """The bug is written instead."""
    strand = Held()
    dump = Dump(Told(2), strand=strand, clock=FakeClock())  # type: ignore[arg-type]  # as above
    dump()
    strand.works.pop()()
    assert "this is a bug of UJR: ZeroDivisionError" in caplog.text


# The list, and one job.


def test_every_job_is_listed_once_and_in_order_while_others_come_and_go(tmp_path: pathlib.Path) -> None:
    """Page by page: what was there all the while is not left out because something before it has gone."""
    table = Table(*(f"job-{number:04}" for number in range(2 * PAGE + 50)))
    with running(tmp_path, HEAD, [Stations(), table]) as runner:
        page = runner.ask("list")
        listed = [job["name"] for job in page["jobs"]]
        while page["more"]:
            for number in range(30):  # some that were listed, and once the very last one of them
                table.jobs.pop(f"job-{number:04}", None)
            if len(listed) == PAGE:
                del table.jobs[listed[-1]]
            table.jobs |= {
                f"{prefix}-{len(listed)}": {"plugin": "Stations", "params": {"texts": []}} for prefix in "az"
            }
            runner.ask("reload")
            page = runner.ask("list", after=listed[-1])
            assert len(page["jobs"]) <= PAGE
            listed += [job["name"] for job in page["jobs"]]
    assert listed == sorted(set(listed))
    assert {f"job-{number:04}" for number in range(2 * PAGE + 50)} <= set(listed)
    assert [name for name in listed if name.startswith("z")]  # they came behind what was listed then
    assert not [name for name in listed if name.startswith("a")]  # and they before


def test_a_page_that_is_full_may_be_the_last(tmp_path: pathlib.Path) -> None:
    """Whether there is another one is said as it is: nobody asks in vain, and nobody misses a job."""
    table = Table(*(f"job-{number:04}" for number in range(PAGE)))
    with running(tmp_path, HEAD, [Stations(), table]) as runner:
        assert (len(runner.ask("list")["jobs"]), runner.ask("list")["more"]) == (PAGE, False)
        table.jobs["last"] = {"plugin": "Stations", "params": {"texts": []}}
        runner.ask("reload")
        first = runner.ask("list")
        rest = runner.ask("list", after=first["jobs"][-1]["name"])
    assert (len(first["jobs"]), first["more"]) == (PAGE, True)
    assert ([job["name"] for job in rest["jobs"]], rest["more"]) == (["last"], False)


def test_a_job_is_listed_with_all_that_the_reference_says(tmp_path: pathlib.Path) -> None:
    """What runs here, what does not, and why."""
    more = 'cron = "0 6 1 1 *"\ntimezone = "Europe/Berlin"'
    text = HEAD + job_of("north", "", more=more) + job_of("off", more="enabled = false")
    with running(tmp_path, text + job_of("there", more='nodes = ["other-*"]'), [Stations()]) as runner:
        runner.ask("trigger", "north")
        runner.seen.wait_for("north 0", "succeeded")
        north, off, there = runner.ask("list")["jobs"]
    assert list(north) == [
        "name", "plugin", "state", "enabled", "for_this_node", "running", "next_firing", "last_run", "last_success",
        "timezone", "origin",
    ]  # fmt: skip
    assert (north["name"], north["plugin"]) == ("north", "Stations")
    assert north["enabled"]
    assert north["for_this_node"]
    assert (north["timezone"], north["origin"]) == ("Europe/Berlin", "ujr.toml:4")
    assert time.gmtime(north["next_firing"])[1:5] == (1, 1, 5, 0)
    assert north["last_run"] <= north["last_success"] <= time.time()
    assert (off["state"], off["enabled"], off["for_this_node"]) == ("disabled", False, True)
    assert (there["state"], there["enabled"], there["for_this_node"]) == ("elsewhere", True, False)


def test_a_page_is_made_in_a_moment_however_many_secrets_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """To look for each in each text would hold up the loop for a third of a second."""
    monkeypatch.setattr(redact, "_NEEDLES", {})
    monkeypatch.setattr(redact, "_KNOWN", frozenset())
    for number in range(100):
        redact.remember(Secret(f"correct-horse/{number:04}", name=f"PW-{number}"))
    page = {"jobs": [{"name": f"job-{number}", "plugin": "x", "origin": f"ujr.toml:{number}"} for number in range(500)]}
    began = time.thread_time()
    line = answer_line(page)
    assert time.thread_time() - began < 0.1
    assert b"job-499" in line
    page["jobs"][7]["origin"] = "correct-horse/0042"
    assert b"<Secret PW-42>" in answer_line(page)
    assert b"correct-horse" not in answer_line({"key correct-horse/0001": [({"a": "correct-horse/0042 x"},)]})


def test_a_job_is_shown_with_its_settings_and_what_it_does(tmp_path: pathlib.Path) -> None:
    """Each value with its place; one that is not for this node is shown without what it does."""
    text = HEAD + 'check_interval = "7s"\n' + job_of("north", "a") + job_of("off", more="enabled = false")
    with running(tmp_path, text, [Stations()]) as runner:
        shown, off = runner.ask("show", "north"), runner.ask("show", "off")
    settings = {one["key"]: (one["value"], one["origin"]) for one in shown["settings"]}
    assert settings["params.texts"] == (["a"], "ujr.toml:8")
    assert settings["check_interval"] == ("7s", "ujr.toml:4, runner.check_interval")
    assert settings["enabled"] == (True, "default")
    assert shown["explanation"]["job"] == "north"
    assert off["explanation"] is None
    assert {one["key"]: one["value"] for one in off["settings"]}["enabled"] is False
