"""The command line with real processes and real signals."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import pty
import re
import subprocess
import sys
from signal import SIGINT, SIGTERM

import pytest

from tests.process.faults.processes import poll_until
from tests.process.ujr_process import COMMAND, PATIENCE, environment, started, ujr

JOBS = '''
"""Jobs whose tasks do what a test asks for."""

import os
import signal
import time

from ujr_core import JobDone, Task, hookimpl


@hookimpl
def get_runnable_tasks(job):
    if job.params.get("raises"):
        raise LookupError("no such world")
    yield Task(do, (job.params["what"],), label=job.params["what"])
    raise JobDone


def do(what):
    if what == "raise":
        print("about to raise")
        raise ValueError("a bad value\\nERROR \\x1b[31min red")
    if what == "ignore TERM":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if what == "wait for the file":
        open("waits", "w").close()
        while not os.path.exists("go"):
            time.sleep(0.01)
    elif what != "nothing":
        time.sleep(1000)
'''

CONFIGURATION = """
[runner]
plugins = ["jobs"]
shutdown_timeout = "{patience}"
[jobs.one]
plugin = "jobs"
grace = "100ms"
give_up_after = 1
params = {{ what = "{what}" }}
"""


@pytest.fixture
def project(tmp_path: pathlib.Path) -> pathlib.Path:
    """Return the folder of a project with one job, whose task does nothing."""
    (tmp_path / "jobs.py").write_text(JOBS)
    write(tmp_path, "nothing")
    return tmp_path


def write(project: pathlib.Path, what: str, patience: str = "20s", more: str = "") -> None:
    """Configure what the project's one task does."""
    (project / "ujr.toml").write_text(CONFIGURATION.format(what=what, patience=patience) + more)


def test_what_init_writes_runs_at_once_and_is_done_when_run_again(tmp_path: pathlib.Path) -> None:
    """The example does its work, finds nothing to do the second time, and notices an edited text."""
    assert ujr(tmp_path, "init").returncode == 0
    first = ujr(tmp_path, "run", "--until-idle")
    assert first.returncode == 0, first.stderr
    assert (tmp_path / "counts" / "first.csv").read_text() == "lines,words\n2,11\n"
    assert "count-words: second.txt succeeded in" in first.stderr
    assert ujr(tmp_path, "run", "--until-idle").stderr == ""
    (tmp_path / "inbox" / "first.txt").write_text("shorter\n")
    assert "first.txt" in ujr(tmp_path, "run", "--until-idle").stderr
    assert (tmp_path / "counts" / "first.csv").read_text() == "lines,words\n1,1\n"


def test_a_zone_without_a_name_is_said_and_all_show_what_counts(
    project: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the clock is known by its rules alone, check and a runner say that cron goes by UTC; next and explain do."""
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    report = '[jobs.report]\nplugin = "jobs"\ncron = "30 6 1 1 *"\nparams.what = "nothing"\n'
    hourly = '[jobs.hourly]\nplugin = "jobs"\ncron = "0 * * * *"\ntimezone = "UTC"\nparams.what = "nothing"\n'
    write(project, "nothing", more=report + hourly)
    told = f'the system\'s time zone, "{os.environ["TZ"]}", has no IANA name, so cron and at without timezone go by UTC'
    assert f"\nwarning: {told}: report\n" in ujr(project, "check").stderr
    assert "-01-01 06:30:00  UTC " in ujr(project, "next", "report").stdout
    with started(project, "run") as runner:
        runner.wait_said(f"WARNING {told}: report\n")
        runner.wait_said("one: done")
        assert re.search(r": \d{4}-01-01 06:30:00 UTC\n", ujr(project, "explain", "report").stdout)
    monkeypatch.setenv("TZ", "Europe/Berlin")
    assert "IANA" not in ujr(project, "check").stderr


def test_a_drained_term_is_a_success(project: pathlib.Path) -> None:
    """TERM lets what runs end, and then the exit code is 0."""
    write(project, "wait for the file")
    with started(project, "run", "-v") as runner:
        runner.wait_said("one: wait for the file started")
        runner.signal(SIGTERM)
        runner.wait_said("stopping: 1 running, waited for at most 20 s; a second ^C or TERM kills now")
        (project / "go").touch()
        assert runner.wait() == 0
    assert "one: wait for the file succeeded" in runner.said


def test_a_drained_interrupt_is_130(project: pathlib.Path) -> None:
    """^C drains as TERM does, and the exit code says that it was interrupted."""
    write(project, "wait for the file")
    with started(project, "run", "-v") as runner:
        runner.wait_said("started")
        runner.signal(SIGINT)
        runner.wait_said("stopping")
        (project / "go").touch()
        assert runner.wait() == 130
    assert "succeeded" in runner.said


def test_runs_that_had_to_be_killed_are_143(project: pathlib.Path) -> None:
    """What ignores TERM is killed after shutdown_timeout and grace, reported, and told by the exit code."""
    write(project, "ignore TERM", patience="100ms")
    with started(project, "run", "-v") as runner:
        runner.wait_said("started")
        runner.signal(SIGTERM)
        assert runner.wait() == 143
    assert "one: ignore TERM failed (cancelled)" in runner.said


def test_a_second_interrupt_kills_at_once(project: pathlib.Path) -> None:
    """The second ^C waits for nobody."""
    write(project, "ignore TERM", patience="1h")
    with started(project, "run", "-v") as runner:
        runner.wait_said("started")
        runner.signal(SIGINT)
        runner.wait_said("a second ^C or TERM kills now")
        runner.signal(SIGINT)
        assert runner.wait() == 130
    assert "one: ignore TERM failed (cancelled)" in runner.said


def test_a_second_runner_on_one_state_folder_is_refused(project: pathlib.Path) -> None:
    """It ends with 4, names the folder and what to do, and leaves the first one alone."""
    write(project, "wait for the file")
    with started(project, "run", "-v") as runner:
        runner.wait_said("started")
        second = ujr(project, "run", "one")
        (project / "go").touch()
        runner.signal(SIGTERM)
        assert runner.wait() == 0
    assert second.returncode == 4
    assert second.stderr == (
        "error[already-running]: another runner runs on this state folder\n"
        f"  where: {project}/.ujr, runner.state_dir\n"
        "  fix:   look at it: ujr status; have it run a job now: ujr trigger JOB; end it: ujr stop; or give this one a "
        "state folder of its own: state_dir in [runner]\n"
    )


def test_a_run_that_failed_is_told_with_its_consequence(project: pathlib.Path) -> None:
    """The log says kind, reason, what follows, traceback and output; foreign text can begin no line."""
    write(project, "raise")
    ended = ujr(project, "run", "--until-idle")
    assert ended.returncode == 1
    lines = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", "<time>", ended.stderr).splitlines()
    assert lines == [
        "<time> ERROR   one: raise failed (error): ValueError: a bad value ERROR \\x1b[31min red; given up, it is not "
        "started again",
        "    Traceback (most recent call last):",
        f'      File "{project}/jobs.py", line 22, in do',
        '        raise ValueError("a bad value\\nERROR \\x1b[31min red")',
        "    ValueError: a bad value",
        "    ERROR \\x1b[31min red",
        "    output | about to raise",
        "<time> INFO    one: done (nothing more to do)",
    ]


def test_a_failure_under_once_is_1(project: pathlib.Path) -> None:
    """--once does not wait for another try: one failure is enough."""
    write(project, "raise")
    ended = ujr(project, "run", "--once")
    assert ended.returncode == 1
    assert ended.stderr.count("failed (error)") == 1


def test_a_hook_that_always_raises_is_1(project: pathlib.Path) -> None:
    """A job that can never say what to do is given up, with the traceback of its plugin."""
    more = '[jobs.two]\nplugin = "jobs"\ngive_up_after = 1\nparams = { raises = true }\n'
    write(project, "nothing", more=more)
    ended = ujr(project, "run", "two")
    assert ended.returncode == 1
    assert 'job "two": get_runnable_tasks of "jobs" raised:' in ended.stderr
    assert "    LookupError: no such world" in ended.stderr
    assert "one:" not in ended.stderr


def test_json_lines_are_one_object_a_record(project: pathlib.Path) -> None:
    """With json = true each line of stderr is an object that names job, run and kind."""
    write(project, "raise", more="[plugins.log]\njson = true\n")
    records = [json.loads(line) for line in ujr(project, "run", "--until-idle").stderr.splitlines()]
    failed = records[0]
    assert (failed["level"], failed["job"], failed["kind"], failed["attempt"]) == ("ERROR", "one", "error", 1)
    assert failed["message"].startswith("one: raise failed (error)")


def test_stdout_that_nobody_reads_is_no_traceback(project: pathlib.Path) -> None:
    """``ujr list | head -0`` ends quietly."""
    read, write_end = os.pipe()
    os.close(read)
    ended = subprocess.run(
        [*COMMAND, "list"],
        cwd=project,
        env=environment(),
        stdout=write_end,
        stderr=subprocess.PIPE,
        timeout=PATIENCE,
        check=False,
    )
    os.close(write_end)
    assert (ended.stderr, ended.returncode) == (b"", 1)


@pytest.mark.parametrize("how", ["closed", "without a reader", "full"])
def test_stderr_that_is_of_no_use_hurts_no_run(project: pathlib.Path, how: str) -> None:
    """The log is lost, and the run and its exit code are as ever."""
    read, write_end = os.pipe()
    if how == "without a reader":
        os.close(read)
    elif how == "full":
        os.set_blocking(write_end, False)
        while _put(write_end):
            pass
        os.set_blocking(write_end, True)
    close = "2>&-" if how == "closed" else ""
    ended = subprocess.run(
        ["sh", "-c", f'exec "$@" {close}', "sh", *COMMAND, "run", "--until-idle", "-v"],
        cwd=project,
        env=environment(),
        stderr=write_end,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 0


def _put(descriptor: int) -> int:
    try:
        return os.write(descriptor, b"x" * 65536)
    except BlockingIOError:
        return 0


def test_a_terminal_gets_a_table_with_the_same_cells(project: pathlib.Path) -> None:
    """On a terminal rich draws the list, and reads no markup in it."""
    write(project, "nothing", more='[jobs.two]\nplugin = "jobs"\nenabled = false\nparams.what = "nothing"\n')
    (project / "ujr.toml").rename(project / "[red].toml")
    master, slave = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, "--config", "[red].toml", "list"], cwd=project, env=environment(), stdout=slave
    ) as process:
        os.close(slave)
        assert process.wait(PATIENCE) == 0
        drawn = read_terminal(master).decode()
    os.close(master)
    plain = [line.split() for line in re.sub(r"\x1b\[[0-9;]*m", "", drawn).splitlines()]
    assert plain == [
        ["NAME", "PLUGIN", "STATE", "NEXT", "FIRING", "LAST", "RUN", "LAST", "SUCCESS", "ORIGIN"],
        ["one", "jobs", "-", "-", "-", "-", "[red].toml:5"],
        ["two", "jobs", "disabled", "-", "-", "-", "[red].toml:10"],
    ]


def read_terminal(master: int) -> bytes:
    """All that was written to a terminal whose other end is closed; one read gives a part of it."""
    read = b""
    with contextlib.suppress(OSError):  # how Linux tells the end
        while part := os.read(master, 65536):
            read += part
    return read


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_version_and_help_import_nothing_heavy(option: str) -> None:
    """They are quick, and work whatever plugin is broken, for they load none."""
    code = "import sys, ujr_core.cli\ntry: ujr_core.cli.main()\nfinally: print(*sys.modules)"
    shown = subprocess.run(
        [sys.executable, "-c", code, option],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert shown.returncode == 0
    loaded = set(shown.stdout.splitlines()[-1].split())
    assert "click" in loaded
    heavy = {
        "loguru",
        "rich",
        "cattrs",
        "attrs",
        "pluggy",
        "logging",
        "asyncio",
        "ujr_core.registry",
        "ujr_core.builtin",
    }
    assert not loaded & heavy


def test_nothing_of_a_plugin_keeps_the_process(tmp_path: pathlib.Path) -> None:
    """Threads, exit handlers and a close() that never end: the runner exits all the same, with its own code."""
    (tmp_path / "lingers.py").write_text(
        "import atexit, threading\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from ujr_core import hookimpl\n"
        "never = threading.Event()\n"
        "threading.Thread(target=never.wait).start()\n"
        "ThreadPoolExecutor().submit(never.wait)\n"
        "atexit.register(never.wait)\n"
        "class Lingers:\n"
        "    @hookimpl\n"
        "    def get_runnable_tasks(self, job):\n"
        "        return []\n"
        "    def close(self):\n"
        "        never.wait()\n"
    )
    (tmp_path / "ujr.toml").write_text('[runner]\nplugins = ["lingers:Lingers"]\n[jobs."lingers:Lingers"]\n')
    ended = ujr(tmp_path, "run", "--until-idle")
    assert ended.returncode == 0
    # What had its turn before has used up a part of the three seconds.
    assert re.search(r'plugin "lingers:Lingers" has not closed after [\d.]+ m?s, and is left alone', ended.stderr)


def said(folder: pathlib.Path, *arguments: str) -> str:
    """Return what a command that succeeds says on stdout, and see that it says nothing else."""
    ended = ujr(folder, *arguments)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stderr
    return ended.stdout


def test_status_says_what_the_runner_does(project: pathlib.Path) -> None:
    """Where it runs, its configuration, its jobs by state, what runs and what failed; as JSON, too."""
    failing = '[jobs.two]\nplugin = "jobs"\ngive_up_after = 1\nparams.what = "raise"\n'
    write(project, "wait for the file", more=failing + '[jobs.three]\nplugin = "jobs"\nenabled = false\n')
    with started(project, "run", "-v", "-j", "2") as runner:
        for text in ("one: wait for the file started", "two: raise failed"):
            runner.wait_said(text)
        lines = said(project, "status").splitlines()
        assert re.match(r"runner   pid \d+ on \S+, ujr \S+, up \d.*, since \d\d:\d\d:\d\d$", lines[0])
        assert re.match(rf"config   {project}/ujr.toml; generation 1, loaded .* \(\d\d:\d\d:\d\d\)", lines[1])
        assert re.match(r"jobs     3: .*, 1 not here$", lines[2])
        assert lines[3] == "runs     1 on 2 workers; 1 failed, 0 succeeded"
        assert re.match(r"running  one  [\d.]+ m?s +wait for the file$", lines[4])
        assert re.match(r"failed   two  .* \(\d\d:\d\d:\d\d\)  raise: .*a bad value ERROR \\x1b\[31min red$", lines[5])
        told = json.loads(said(project, "status", "--json"))
        assert (told["runner"]["workers"], told["counts"]) == (2, {"succeeded": 0, "failed": 1})
        assert [run["job"] for run in told["running"]["runs"]] == ["one"]


def test_list_and_show_tell_the_state_of_a_running_runner(project: pathlib.Path) -> None:
    """It is asked, page by page, and no plugin is loaded for it."""
    more = "".join(f'[jobs.n-{number:04}]\nplugin = "jobs"\nenabled = false\n' for number in range(1_002))
    write(project, "wait for the file", more=more)
    with started(project, "run", "-v") as runner:
        runner.wait_said("one: wait for the file started")
        poll_until((project / "waits").exists)  # until then, the worker may have yet to import it
        (project / "jobs.py").write_text("raise RuntimeError")
        lines = said(project, "list").splitlines()
        assert [line.split()[0] for line in lines[1:]] == [*(f"n-{number:04}" for number in range(1_002)), "one"]
        assert lines[1].split()[1:4] == ["jobs", "disabled", "-"]
        assert lines[-1].split()[:3] == ["one", "jobs", "leaving"]
        listed = json.loads(said(project, "list", "--json"))[-1]
        assert (listed["state"], listed["running"], listed["last_run"][:2]) == ("leaving", 1, "20")
        shown = said(project, "show", "one").splitlines()
        assert shown[0] == "one: leaving"
        assert re.match(r"give_up_after +1 +ujr.toml:8$", next(line for line in shown if "give_up_after" in line))


def test_a_reload_says_what_has_changed_or_all_that_is_wrong(project: pathlib.Path) -> None:
    """The exit code is 3 for what is wrong, which the status shows until it is mended."""
    write(project, "wait for the file")
    with started(project, "run", "-v") as runner:
        runner.wait_said("one: wait for the file started")
        assert said(project, "reload") == "no job changed\n"
        write(project, "wait for the file", more='[jobs.two]\nplugin = "jobs"\ntimout = 3\nevery = "x"\n')
        refused = ujr(project, "reload")
        assert refused.returncode == 3
        assert 'error[config-unknown-key]: job "two" has no setting "timout"\n' in refused.stderr
        assert 'error[config-duration]: job "two" has no duration for "every"' in refused.stderr
        assert refused.stderr.endswith("2 errors\n")
        status = said(project, "status")
        assert re.search(r"^reload   failed .*: see below$", status, re.MULTILINE)
        assert status.endswith('  fix:   did you mean "timeout"?\n')
        write(project, "wait for the file", more='[jobs.two]\nplugin = "jobs"\nenabled = false\n')
        # The runner looks at its files every second, and may have been first.
        assert said(project, "reload") in ("1 job added, 0 changed, 0 removed\n", "no job changed\n")
        assert [job["name"] for job in json.loads(said(project, "list", "--json"))] == ["one", "two"]
        assert "reload " not in said(project, "status")


def test_stop_waits_for_the_end_and_says_what_for(project: pathlib.Path) -> None:
    """What runs is named; an interrupt ends the waiting alone; --now kills."""
    write(project, "wait for the file", patience="1h")
    with started(project, "run", "-v") as runner:
        runner.wait_said("one: wait for the file started")
        with started(project, "stop") as stop:
            stop.wait_said("waiting for 1 run (one: wait for the file)\n")
            stop.signal(SIGINT)
            assert stop.wait() == 130
        assert stop.said.endswith("the runner goes on stopping; ujr status says whether it still runs\n")
        assert ", stopping, up " in said(project, "status")
        ended = ujr(project, "stop", "--now")
        assert ended.returncode == 0
        assert ended.stdout.endswith("the runner has ended; runs had to be killed: its log names them\n")
        assert runner.wait() == 143


def test_stop_ends_with_the_runner(project: pathlib.Path) -> None:
    """It has the lock no more, so that another can start at once."""
    write(project, "nothing")
    with started(project, "run") as runner:
        runner.wait_said("one: done")
        assert said(project, "stop").splitlines()[-1] == "the runner has ended"
        assert runner.wait() == 0
    assert ujr(project, "run", "--until-idle").returncode == 0


def test_a_pause_may_have_an_end(project: pathlib.Path) -> None:
    """It is said until when; what is no duration is refused."""
    write(project, "wait for the file")
    with started(project, "run", "-v") as runner:
        runner.wait_said("one: wait for the file started")
        assert "until 20" in said(project, "pause", "one", "--for", "1h")
        assert ujr(project, "pause", "one", "--for", "soon").returncode != 0
