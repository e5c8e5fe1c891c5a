"""Whatever a task starts, and however that hides, is gone with its worker, and with the runner."""

from __future__ import annotations

import contextlib
import os
import pathlib
import select
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator

import attrs
import pytest

from tests.process.litter import KINDS, ROOT, pids_in, start_runner, start_worker
from tests.process.second import is_within
from ujr_core.pool import tree
from ujr_core.pool.cgroup import Cgroups
from ujr_core.pool.mark import SLOTS, Marks, is_guardian, mark_of
from ujr_core.pool.tree import Tree, is_childless, signal_pool, signal_trees

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems have no marks")
MIB = 1 << 20


@attrs.define
class Worker:
    """A stand-in for a worker that bears a mark."""

    process: subprocess.Popen[str]
    tree: Tree
    litter: list[int] = attrs.Factory(list)

    def leave_litter(self, folder: pathlib.Path) -> None:
        """Have it start processes of all kinds."""
        folder.mkdir(exist_ok=True)
        print(folder, file=self.process.stdin, flush=True)
        self.litter = pids_in(folder)
        assert not any(map(is_gone, self.litter))

    def end(self) -> None:
        """Kill it, and what a failed test left."""
        for pid in (self.process.pid, *self.litter):
            kill(pid)

    def die(self) -> None:
        """Kill it alone; its exit status stays to be taken."""
        os.kill(self.process.pid, signal.SIGKILL)
        os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT)


@pytest.fixture
def begin() -> Iterator[Callable[..., Worker]]:
    """Start stand-ins, and end them."""
    with contextlib.ExitStack() as opened:
        marks = Marks()

        def start(*, marked: bool = True, cgroup: str = "") -> Worker:
            process = opened.enter_context(start_worker(cgroup))
            worker = Worker(process, Tree(process.pid, marks.put_on(process.pid) if marked else 0, cgroup))
            opened.callback(worker.end)
            return worker

        yield start


@pytest.fixture
def cgroups() -> Iterator[Cgroups]:
    """Those of a pool."""
    found = Cgroups.find()
    if found is None:
        pytest.skip("NOT TESTED: no cgroup v2 here can be written to; as root, or with Delegate=yes, one can")
    yield found
    found.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_signal_reaches_the_whole_tree(
    begin: Callable[..., Worker], tmp_path: pathlib.Path, number: signal.Signals
) -> None:
    """Groups, sessions and environments of their own hide nothing, nor does the death of a parent."""
    worker = begin()
    worker.leave_litter(tmp_path)
    signal_trees([worker.tree], number)
    assert_gone_within_a_second(worker.process.pid, *worker.litter)


def test_the_tree_is_found_when_the_worker_has_died_first(begin: Callable[..., Worker], tmp_path: pathlib.Path) -> None:
    """What it started has no parent below the runner any more, but still its mark."""
    worker = begin()
    worker.leave_litter(tmp_path)
    worker.die()
    assert_none_gone(worker.litter)
    signal_trees([worker.tree], signal.SIGKILL)
    assert_gone_within_a_second(*worker.litter)


def test_the_tree_of_a_living_worker_is_found_without_marks(
    begin: Callable[..., Worker], tmp_path: pathlib.Path
) -> None:
    """Where the system allows no marks, a worker is the parent of all that lost theirs."""
    worker = begin(marked=False)
    worker.leave_litter(tmp_path)
    signal_trees([worker.tree], signal.SIGKILL)
    assert_gone_within_a_second(worker.process.pid, *worker.litter)


def test_a_cgroup_needs_no_marks(begin: Callable[..., Worker], tmp_path: pathlib.Path, cgroups: Cgroups) -> None:
    """One write ends what is in it, also when the worker is dead."""
    worker = begin(marked=False, cgroup=cgroups.add())
    worker.leave_litter(tmp_path)
    worker.die()
    signal_trees([worker.tree], signal.SIGKILL)
    assert_gone_within_a_second(*worker.litter)


def test_cgroups_are_removed(begin: Callable[..., Worker], tmp_path: pathlib.Path, cgroups: Cgroups) -> None:
    """None outlives its pool, though a task has made some below its own."""
    path = cgroups.add()
    worker = begin(cgroup=path)
    worker.leave_litter(tmp_path)
    (pathlib.Path(path) / "of-a-task").mkdir()
    cgroups.remove(path)
    assert os.path.exists(path)
    cgroups.close()
    assert not os.path.exists(cgroups.folder)
    assert_gone_within_a_second(worker.process.pid, *worker.litter)


def test_no_other_tree_is_touched(begin: Callable[..., Worker], tmp_path: pathlib.Path) -> None:
    """Neither one of the same pool, nor one of another, nor a process that bears no mark."""
    worker, neighbour, above, below, unmarked = begin(), begin(), *(begin(marked=False) for _ in range(3))
    base, foreign = worker.tree.mark // SLOTS * SLOTS, Marks()
    foreign.base = base + SLOTS
    foreign.put_on(above.process.pid)
    foreign.base = base - SLOTS
    foreign.put_on(below.process.pid)
    for number, one in enumerate((worker, neighbour, above, below, unmarked)):
        one.leave_litter(tmp_path / str(number))
    signal_trees([worker.tree], signal.SIGKILL)
    assert_gone_within_a_second(*worker.litter)
    assert_none_gone([neighbour.process.pid, *neighbour.litter])
    signal_pool(base, signal.SIGKILL)
    assert_gone_within_a_second(*neighbour.litter)
    for other in (above, below, unmarked):
        assert_none_gone([other.process.pid, *other.litter])


def test_a_pid_that_has_become_another_process_is_not_signalled() -> None:
    """What was found is held by a descriptor, and asked when it was born, before it gets the signal."""
    with subprocess.Popen(["sleep", "600"]) as process:
        found = tree._standing(process.pid)
        assert found
        tree._signal(found._replace(born=found.born - 1), signal.SIGKILL)
        assert not is_gone(process.pid)
        tree._signal(found, signal.SIGTERM)
        assert process.wait() == -signal.SIGTERM
        with pytest.raises(ProcessLookupError):
            tree._signal(found, signal.SIGKILL)


def test_a_worker_knows_that_nothing_is_left_below_it(begin: Callable[..., Worker], tmp_path: pathlib.Path) -> None:
    """So its end needs no look at all processes; an orphan in another session counts, and so does a dead worker."""
    worker = begin()
    assert is_childless(worker.process.pid)
    worker.leave_litter(tmp_path)
    for name, pid in zip(KINDS, worker.litter, strict=True):
        if name != "daemon":
            os.kill(pid, signal.SIGKILL)
    assert not is_childless(worker.process.pid)
    worker.die()
    worker.process.wait()
    assert not is_childless(worker.process.pid)


@pytest.mark.parametrize("means", ["marks", "cgroups", "marks and cgroups"])
def test_nothing_survives_the_runner(tmp_path: pathlib.Path, request: pytest.FixtureRequest, means: str) -> None:
    """Neither worker nor guardian nor litter is there after a second; nor is a cgroup."""
    if "cgroups" in means:
        request.getfixturevalue("cgroups")
    with a_runner(tmp_path, marks="marks" in means, cgroups="cgroups" in means) as account:
        os.kill(account.runner, signal.SIGKILL)
        assert_gone_within_a_second(account.runner, account.guardian, account.worker, *account.litter)
        assert not os.path.exists(account.cgroup or tmp_path / "none")


@pytest.mark.parametrize("means", ["marks", "cgroups"])
def test_the_guardian_finds_orphans_whose_worker_the_kernel_has_killed_first(
    tmp_path: pathlib.Path, request: pytest.FixtureRequest, means: str
) -> None:
    """They are nobody's children any more, and in sessions of their own."""
    if means == "cgroups":
        request.getfixturevalue("cgroups")
    with a_runner(tmp_path, marks=means == "marks", cgroups=means == "cgroups") as account:
        os.kill(account.guardian, signal.SIGSTOP)
        os.kill(account.runner, signal.SIGKILL)
        assert_gone_within_a_second(account.runner, account.worker)
        assert_none_gone(account.litter)
        os.kill(account.guardian, signal.SIGCONT)
        assert_gone_within_a_second(account.guardian, *account.litter)


def test_what_a_runner_and_its_guardian_left_bears_their_mark(tmp_path: pathlib.Path) -> None:
    """Killed in one instant they leave orphans, which whoever has kept the mark can end."""
    with a_runner(tmp_path) as account:
        os.kill(account.guardian, signal.SIGKILL)
        os.kill(account.runner, signal.SIGKILL)
        assert_gone_within_a_second(account.runner, account.guardian, account.worker)
        assert_none_gone(account.litter)
        signal_pool(account.base, signal.SIGKILL)
        assert_gone_within_a_second(*account.litter)


def test_a_folder_of_cgroups_that_nobody_removed_is_removed_by_the_next_pool(
    tmp_path: pathlib.Path, cgroups: Cgroups
) -> None:
    """It is known by the pid of its runner, which has gone."""
    with a_runner(tmp_path, cgroups=True) as account:
        os.kill(account.guardian, signal.SIGKILL)
        os.kill(account.runner, signal.SIGKILL)
        assert_gone_within_a_second(account.runner, account.guardian, account.worker)
        signal_pool(account.base, signal.SIGKILL)
        assert_gone_within_a_second(*account.litter)
    assert os.path.exists(account.cgroup)
    another = Cgroups.find()
    assert another
    another.close()
    assert not os.path.exists(account.cgroup)
    assert os.path.exists(cgroups.folder)


@pytest.mark.parametrize("dies_first", [False, True])
def test_a_runner_within_a_task_ends_with_all_it_started(
    begin: Callable[..., Worker], tmp_path: pathlib.Path, dies_first: bool
) -> None:
    """Its workers bear marks of their own; they go all the same, also when the outer worker has died before."""
    worker = begin()
    with a_runner(tmp_path, mark=worker.tree.mark) as account:
        assert is_guardian(mark_of(account.guardian))
        assert mark_of(account.runner) == worker.tree.mark
        assert mark_of(account.worker) < worker.tree.mark
        if dies_first:
            worker.die()
        signal_trees([worker.tree], signal.SIGKILL)
        assert_gone_within_a_second(account.runner, account.guardian, account.worker, *account.litter)


def test_marks_stay_within_what_the_process_may_set() -> None:
    """A pool within a pool within a pool has marks, each lower than the last; with too little room there are none."""
    run_apart("""
        import resource
        from ujr_core.pool.mark import Marks, mark_of
        import os
        for depth in range(20):
            resource.setrlimit(10, (resource.getrlimit(10)[1],) * 2)
            outer = mark_of(os.getpid())
            mark = Marks().put_on(os.getpid())
            assert mark == mark_of(os.getpid()), depth
            assert 0 < mark < (outer or 1 << 62), depth
        resource.setrlimit(10, (1024, 1024))
        marks = Marks()
        assert (marks.base, marks.put_on(os.getpid()), mark_of(os.getpid())) == (0, 0, 0)
    """)


def test_no_two_workers_in_a_row_bear_one_mark() -> None:
    """Nor one that of the guardian, however many workers a pool has had."""
    marks = Marks()
    assert not is_guardian(marks.base)
    marks._last = SLOTS - 4  # as after some 65,000
    with contextlib.ExitStack() as opened:
        some = []
        for _ in range(4):
            process = opened.enter_context(subprocess.Popen(["sleep", "600"]))
            opened.callback(process.kill)
            some.append(marks.put_on(process.pid) - marks.base)
    assert some == [SLOTS - 3, SLOTS - 2, 1, 2]


def test_the_kernel_takes_a_worker_before_the_runner(begin: Callable[..., Worker], tmp_path: pathlib.Path) -> None:
    """When the machine's memory is exhausted; and what a task started counts as the worker does."""
    worker = begin()
    worker.leave_litter(tmp_path)
    for pid in (worker.process.pid, *worker.litter):
        assert pathlib.Path(f"/proc/{pid}/oom_score_adj").read_text() == "500\n"


def test_a_task_beyond_its_memory_gets_an_error() -> None:
    """Also when the worker was larger than that before; and its worker goes on as it was."""
    run_apart(f"""
        import resource
        from ujr_core.pool.rlimit import MemoryLimit
        before, limit = resource.getrlimit(resource.RLIMIT_AS), MemoryLimit()
        limit.set(1 << 70)
        limit.lift()
        held = bytearray({400 * MIB})
        limit.set({200 * MIB})
        some = bytearray({100 * MIB})
        try:
            more = bytearray({150 * MIB})
        except MemoryError:
            more = None
        limit.lift()
        assert more is None
        assert resource.getrlimit(resource.RLIMIT_AS) == before
        more = bytearray({300 * MIB})
        limit.lift()
        assert resource.getrlimit(resource.RLIMIT_AS) == before
    """)


def test_a_limit_of_memory_stays_below_that_of_the_process() -> None:
    """What the administrator allows holds, and what a task has lowered for good is no error."""
    run_apart("""
        import resource
        from ujr_core.pool.rlimit import MemoryLimit
        AS = resource.RLIMIT_AS
        resource.setrlimit(AS, (1 << 40, 1 << 41))
        limit = MemoryLimit()
        limit.set(1 << 70)
        assert resource.getrlimit(AS) == (1 << 40, 1 << 41)
        limit.lift()
        limit.set(1 << 30)
        bound, _ = resource.getrlimit(AS)
        assert 1 << 30 < bound < 1 << 39
        resource.setrlimit(AS, (bound, 1 << 39))
        limit.lift()
        assert resource.getrlimit(AS) == (1 << 39, 1 << 39)
    """)


def test_dead_orphans_do_not_pile_up() -> None:
    """Those that were dead a second ago go when there are many; of few, a task may still ask for the exit status."""
    run_apart("""
        import os
        from ujr_core.pool.orphans import Orphans
        def die(status):
            pid = os.fork()
            if not pid:
                os._exit(status)
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
            return pid
        orphans = Orphans()
        first = [die(3) for _ in range(100)]
        orphans.reap(10.0)
        orphans.reap(11.0)
        last = die(4)
        orphans.reap(11.9)
        assert os.waitid(os.P_PID, first[0], os.WEXITED | os.WNOWAIT).si_status == 3
        orphans.reap(12.0)
        assert os.waitpid(last, 0) == (last, 4 << 8)
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            pass
        else:
            raise SystemExit("some are left")
    """)


@attrs.frozen
class Account:
    """What a runner told of itself."""

    runner: int
    guardian: int
    worker: int
    base: int
    cgroup: str
    litter: list[int]


@contextlib.contextmanager
def a_runner(folder: pathlib.Path, *, marks: bool = True, cgroups: bool = False, mark: int = 0) -> Iterator[Account]:
    """Start a runner whose worker litters a folder; end all. Given a mark, it bears that, as if below a worker."""
    with contextlib.ExitStack() as opened:
        runner = opened.enter_context(start_runner(str(folder), marks=marks, cgroups=cgroups, mark=mark))
        opened.callback(runner.kill)
        account = account_in(folder, runner.pid)
        for pid in (account.guardian, account.worker, *account.litter):
            opened.callback(kill, pid)
        yield account


def account_in(folder: pathlib.Path, runner: int) -> Account:
    """Wait for what a runner tells."""
    poll_until((folder / "runner").exists)
    guardian, worker, base, cgroup = (folder / "runner").read_text().split(" ")
    return Account(runner, int(guardian), int(worker), int(base), cgroup, pids_in(folder))


def run_apart(code: str) -> None:
    """Run something that changes its process, in one of its own."""
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, check=True, timeout=60)


def assert_gone_within_a_second(*pids: int) -> None:
    """See processes die."""
    assert is_within(1.0, lambda: all(map(is_gone, pids))), [pid for pid in pids if not is_gone(pid)]


def assert_none_gone(pids: list[int]) -> None:
    """See that processes live."""
    assert [pid for pid in pids if is_gone(pid)] == []


def poll_until(condition: Callable[[], object]) -> None:
    """Look until something holds that nothing tells of."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        select.select([], [], [], 0.01)


def is_gone(pid: int) -> bool:
    """Tell whether a process has ended, though nobody may have asked for its exit status."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def kill(pid: int) -> None:
    """Kill a process that may have gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
