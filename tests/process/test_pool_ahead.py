"""Runs that were sent ahead to a real worker: they wait, go on elsewhere or are taken back, and never run twice."""

from __future__ import annotations

import os
import pathlib
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from tests.process.driven import (
    PATIENCE,
    Driven,
    driven_pool,
    is_gone,
    named_pipe,
    open_descriptors,
    poll_until,
    status_of,
    stop,
    stopped_worker,
    witnessed,
    workers_of,
)
from ujr_core.execution import Order
from ujr_core.values import Failure, Result

MEBIBYTE = 1 << 20


@pytest.fixture
def one(tmp_path: pathlib.Path) -> Iterator[Driven]:
    """A pool of one place."""
    with driven_pool(tmp_path) as driven:
        yield driven


@pytest.fixture
def two(tmp_path: pathlib.Path) -> Iterator[Driven]:
    """A pool of two places."""
    with driven_pool(tmp_path, 2) as driven:
        yield driven


def test_runs_of_a_place_run_one_after_another(one: Driven) -> None:
    """Each is acknowledged in its turn, when the one before it is over, and all by the same worker."""
    runs = [one.start("pid") for _ in range(50)]
    assert len(set(one.values_of(runs))) == 1
    assert one.story == [(what, run) for run in runs for what in ("begun", "ended")]


def test_what_was_sent_ahead_has_not_begun(one: Driven, tmp_path: pathlib.Path) -> None:
    """As long as the run before it goes on, nobody is told of its beginning; then at once, without a further order."""
    with named_pipe(tmp_path / "go") as (path, go):
        first, second, third = one.start("waits_for", path), one.start("waits_for", path), one.start("echo", 3)
        one.until(lambda: first in one.begun)
        os.write(go, b"!")
        one.until(lambda: second in one.begun)
        assert one.story == [("begun", first), ("ended", first), ("begun", second)]
        os.write(go, b"!")
        assert one.values_of([third]) == [3]


def test_another_place_goes_on_beside_a_line(two: Driven, tmp_path: pathlib.Path) -> None:
    """What waits behind a long run at one place keeps no other place from its own."""
    with named_pipe(tmp_path / "go") as (path, go):
        blocked = [two.start("waits_for", path, place=0), two.start("echo", 1, place=0)]
        assert two.succeed("echo", 2, place=1).value() == 2
        assert blocked[1] in two.place_of
        os.write(go, b"!")
        two.values_of(blocked)


def test_a_recall_at_any_instant_takes_back_what_has_not_begun(two: Driven, tmp_path: pathlib.Path) -> None:
    """Of runs of no time or two milliseconds each either ended once, or was taken back once and never ran."""
    chance = random.Random(7)
    lines = tmp_path / "lines"
    for _ in range(300):
        orders = [
            two.order("leaves_a_line", str(lines), two.last_id + 1, chance.choice((0, 0, 0.001, 0.002)), place=place)
            for place in (0, 1)
            for _ in range(4)
        ]
        two.pool.start(orders)
        two.turn()
        instant = time.monotonic() + chance.random() * 0.006
        while time.monotonic() < instant:
            two.turn(instant)
        recalled = chance.sample(orders, chance.randint(1, len(orders)))
        two.pool.recall([order.run_id for order in recalled])
        two.until(lambda: not two.place_of)
    assert Counter(lines.read_text().split()) == {str(run): 1 for run in two.ended}
    assert all(isinstance(outcome, Result) for outcome in two.ended.values())
    assert len(two.ended) + len(two.recalled) == two.last_id == 2400
    assert two.recalled, "nothing was taken back, so nothing was shown"


def test_what_was_taken_back_runs_elsewhere_or_at_the_same_place_once(two: Driven, tmp_path: pathlib.Path) -> None:
    """A run that was recalled is ordered again under its number, as the scheduler does it."""
    chance = random.Random(8)
    lines = tmp_path / "lines"
    for _ in range(100):
        orders = {
            order.run_id: order
            for order in (
                two.order("leaves_a_line", str(lines), two.last_id + 1, chance.choice((0, 0.001)), place=number % 2)
                for number in range(8)
            )
        }
        two.pool.start(orders.values())
        two.turn(time.monotonic() + chance.random() * 0.003)
        two.pool.recall(chance.sample(sorted(orders), 4))
        while two.place_of or two.recalled:
            for run in list(two.recalled):
                two.again(orders[run], chance.randint(0, 1))
            two.turn(time.monotonic() + 0.02)
    assert Counter(lines.read_text().split()) == {str(run): 1 for run in range(1, 801)}
    assert len(two.ended) == 800


def test_a_line_goes_on_in_the_successor_of_a_worker_that_dies(one: Driven, tmp_path: pathlib.Path) -> None:
    """The run that went on is lost, and what had not begun runs once, in its order, in another worker."""
    lines = tmp_path / "lines"
    worker = one.succeed("pid").value()
    with named_pipe(tmp_path / "go") as (path, _):
        lost = one.start("waits_for", path)
        line = [one.start("leaves_a_line", str(lines), number) for number in range(5)]
        one.until(lambda: lost in one.begun)
        os.kill(worker, signal.SIGKILL)
        pids = one.values_of(line)
    assert one.failure_of(lost).kind == "worker_lost"
    assert lines.read_text().split() == ["0", "1", "2", "3", "4"]
    assert len(set(pids)) == 1
    assert worker not in pids


@pytest.mark.slow
def test_a_death_at_any_instant_loses_at_most_the_run_that_went_on(one: Driven, tmp_path: pathlib.Path) -> None:
    """Each other run of the line ends, having run once; of the lost one nobody says that it succeeded."""
    chance = random.Random(9)
    lines = tmp_path / "lines"
    for _ in range(40):
        worker = one.succeed("pid").value()
        runs = [one.start("leaves_a_line", str(lines), one.last_id + 1, 0.001) for _ in range(8)]
        one.turn()
        instant = time.monotonic() + chance.random() * 0.012
        while time.monotonic() < instant:
            one.turn(instant)
        os.kill(worker, signal.SIGKILL)
        one.until(lambda: not one.place_of)
        lost = [run for run in runs if isinstance(one.ended[run], Failure)]
        assert len(lost) <= 1
        ran = Counter(int(line) for line in lines.read_text().split() if int(line) in runs)
        assert {run: ran[run] for run in runs if run not in lost} == dict.fromkeys(set(runs) - set(lost), 1)
        assert all(ran[run] <= 1 for run in lost)
    assert one.recalled == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_kill_of_one_run_of_a_line_hurts_no_other(one: Driven, tmp_path: pathlib.Path, number: int) -> None:
    """One that goes on dies, one that waits is taken back, and the others run."""
    with named_pipe(tmp_path / "go") as (path, _):
        first, *line = one.start("waits_for", path), *(one.start("echo", number) for number in range(4))
        one.until(lambda: first in one.begun)
        one.pool.kill(line[1], signal=number)
        one.until(lambda: line[1] in one.recalled)
        assert first in one.place_of
        one.pool.kill(first, signal=number)
        assert one.failure_of(first).signal == signal.Signals(number).name
        assert one.values_of([line[0], *line[2:]]) == [0, 2, 3]


def test_the_kill_of_a_run_that_was_claimed_hits_it_as_soon_as_it_begins(one: Driven, tmp_path: pathlib.Path) -> None:
    """It cannot be taken back any more, and its worker has not said so yet; those around it are unhurt."""
    with named_pipe(tmp_path / "go") as (path, _):
        first, claimed, behind = a_claimed_run(one, tmp_path, "waits_for", path)
        one.pool.kill(claimed, signal=signal.SIGKILL)
        assert claimed in one.place_of
        os.kill(witnessed(one, tmp_path / "stands")[0], signal.SIGCONT)
        assert one.failure_of(claimed).signal == "SIGKILL"
        assert isinstance(one.end_of(first), Result)
        assert one.values_of([behind]) == ["behind"]


def test_a_claimed_run_that_was_killed_does_not_begin_elsewhere(one: Driven, tmp_path: pathlib.Path) -> None:
    """Its worker dies before it says that the run begins: the run is taken back, the one behind it goes on."""
    first, claimed, behind = a_claimed_run(one, tmp_path)
    one.pool.kill(claimed, signal=signal.SIGTERM)
    os.kill(witnessed(one, tmp_path / "stands")[0], signal.SIGKILL)
    assert one.values_of([behind]) == ["behind"]
    assert one.failure_of(first).kind == "worker_lost"
    assert one.recalled == [claimed]
    assert not (tmp_path / "lines").exists()


def test_a_run_that_was_claimed_and_not_begun_runs_once_elsewhere(one: Driven, tmp_path: pathlib.Path) -> None:
    """A worker that dies between the two has not run it."""
    _, claimed, behind = a_claimed_run(one, tmp_path)
    os.kill(witnessed(one, tmp_path / "stands")[0], signal.SIGKILL)
    one.values_of([claimed, behind])
    assert (tmp_path / "lines").read_text() == "claimed\n"


def test_a_claimed_run_cannot_be_taken_back(one: Driven, tmp_path: pathlib.Path) -> None:
    """A recall that comes between claim and acknowledgement is too late; it takes what stands behind."""
    first, claimed, behind = a_claimed_run(one, tmp_path)
    one.pool.recall([first, claimed, behind])
    one.until(lambda: behind in one.recalled)
    os.kill(witnessed(one, tmp_path / "stands")[0], signal.SIGCONT)
    one.values_of([first, claimed])
    assert one.recalled == [behind]


@pytest.mark.parametrize(("recycle", "runs"), [(1, 6), (3, 9), (3, 10)])
def test_a_worker_that_retires_is_not_noticed(tmp_path: pathlib.Path, recycle: int, runs: int) -> None:
    """No run is lost, none takes a worker that had its share, and of those that retired nothing is left."""
    before = open_descriptors().keys()
    with driven_pool(tmp_path, 1, recycle=recycle) as pool:
        shares = Counter(pool.values_of([pool.start("pid") for _ in range(runs)]))
        assert sorted(shares.values(), reverse=True) == [recycle] * (runs // recycle) + [runs % recycle] * (
            runs % recycle > 0
        )
        retired = [worker for worker, share in shares.items() if share == recycle]
        pool.until(lambda: not any(map(status_of, retired)))
        assert (pool.troubles, pool.recalled) == ([], [])
    assert open_descriptors().keys() == before
    assert workers_of(os.getpid()) == set()


def test_many_that_retire_leave_no_more_than_one(tmp_path: pathlib.Path) -> None:
    """Neither processes nor descriptors gather while workers come and go."""
    before = len(open_descriptors())
    with driven_pool(tmp_path, 2, recycle=2) as pool:
        counts = []
        for _ in range(3):
            pids = pool.values_of([pool.start("pid") for _ in range(8)])
            pool.until(lambda: not any(status_of(pid) for pid, share in Counter(pids).items() if share == 2))  # noqa: B023  # called at once
            counts.append(len(workers_of(os.getpid())))
        assert max(counts) <= 4  # one at each place, and as many spares
        workers = len(workers_of(os.getpid()))
        assert len(open_descriptors()) - before <= 10 + 7 * workers


def test_a_worker_that_grew_is_replaced_and_its_line_goes_on(tmp_path: pathlib.Path) -> None:
    """Beyond the memory that it may keep it takes no further run; nobody but the machine notices."""
    with driven_pool(tmp_path, 1, most_memory=120 * MEBIBYTE) as pool, named_pipe(tmp_path / "go") as (path, go):
        small = pool.values_of([pool.start("pid") for _ in range(3)])
        first = pool.start("keeps_memory", 200 * MEBIBYTE)
        second = pool.start("waits_for", path)  # which may have been claimed when the first told that it has grown
        line = [pool.start("pid") for _ in range(6)]
        (grown,) = pool.values_of([first])
        os.write(go, b"!")
        pool.values_of([second])
        pids = pool.values_of(line)
        assert set(small) == {grown}
        assert grown not in pids
        assert len(set(pids)) == 1
        pool.until(lambda: not status_of(grown))
        assert (pool.troubles, pool.recalled) == ([], [])


def test_a_worker_that_dies_has_a_successor_at_once(one: Driven, tmp_path: pathlib.Path) -> None:
    """It was started before it was needed, while the other worked."""
    worker = one.succeed("pid").value()
    with named_pipe(tmp_path / "go") as (path, _):
        lost = one.start("waits_for", path)
        one.until(lambda: lost in one.begun)
        one.until(lambda: len(workers_of(os.getpid())) == 2)
        (spare,) = workers_of(os.getpid()) - {worker}
        waiting = one.start("pid")
        os.kill(worker, signal.SIGKILL)
        assert one.values_of([waiting]) == [spare]
        assert one.failure_of(lost).signal == "SIGKILL"


def test_a_spare_that_dies_is_replaced_without_a_word(one: Driven, tmp_path: pathlib.Path) -> None:
    """Nothing was lost with it."""
    worker = one.succeed("pid").value()
    with named_pipe(tmp_path / "go") as (path, go):
        busy = one.start("waits_for", path)
        one.until(lambda: busy in one.begun)
        one.until(lambda: len(workers_of(os.getpid())) == 2)
        (spare,) = workers_of(os.getpid()) - {worker}
        os.kill(spare, signal.SIGKILL)
        one.until(lambda: len(workers_of(os.getpid()) - {worker, spare}) == 1)
        os.write(go, b"!")
        one.values_of([busy])


@pytest.fixture
def imported(tmp_path: pathlib.Path) -> Callable[[], list[int]]:
    """Write a module that tells who imports it; return what returns the pids."""
    seen = tmp_path / "imports"
    (tmp_path / "telling_module.py").write_text(
        "import os\n"
        f"with open({str(seen)!r}, 'a') as seen:\n"
        "    print(os.getpid(), file=seen)\n"
        "def act():\n"
        "    return os.getpid()\n"
    )
    return lambda: [int(word) for word in seen.read_text().split()] if seen.exists() else []


def test_a_successor_has_imported_what_its_forerunner_called(one: Driven, imported: Callable[[], list[int]]) -> None:
    """The module of a function that has returned is there before the worker's first order."""
    first = one.succeed("telling_module:act").value()
    os.kill(first, signal.SIGKILL)
    one.until(lambda: is_gone(first))
    second = one.succeed("pid").value()
    assert imported()[:2] == [first, second]
    assert one.succeed("telling_module:act").value() == second
    assert imported().count(second) == 1


def test_a_module_that_kills_its_importer_is_imported_for_its_own_task_alone(
    one: Driven, tmp_path: pathlib.Path
) -> None:
    """What has never returned is not imported beforehand, so that it costs the worker of its own run and no other."""
    (tmp_path / "deadly_module.py").write_text("import os\nos._exit(9)\n")
    for _ in range(2):
        assert one.fail("deadly_module:act").exit_code == 9
        assert one.succeed("echo", 1).value() == 1
    assert one.troubles == []


def test_a_module_that_became_deadly_harms_only_its_own_tasks(
    one: Driven, tmp_path: pathlib.Path, imported: Callable[[], list[int]]
) -> None:
    """A file that is changed while the runner runs does not keep other functions from being called."""
    first = one.succeed("telling_module:act").value()
    (tmp_path / "telling_module.py").write_text("import os\nos._exit(9)\n")
    os.kill(first, signal.SIGKILL)
    one.until(lambda: is_gone(first))
    assert one.succeed("echo", 1).value() == 1
    assert one.fail("telling_module:act").exit_code == 9
    assert one.succeed("echo", 2).value() == 2


def test_orders_larger_than_a_pipe_wait_for_a_worker_that_stands(two: Driven) -> None:
    """Nothing blocks: neighbours go on, the orders can be taken back, and run elsewhere."""
    workers = [two.succeed("pid", place=place).value() for place in (0, 1)]
    stop(workers[0])
    orders = [two.order("size_of", bytes(MEBIBYTE), place=0) for _ in range(8)]
    two.pool.start(orders)
    assert two.succeed("pid", place=1).value() == workers[1]
    two.pool.recall([order.run_id for order in orders[2:]])
    two.until(lambda: len(two.recalled) == 6)
    for order in orders[2:]:
        two.again(order, 1)
    assert two.values_of(order.run_id for order in orders[2:]) == [MEBIBYTE] * 6
    os.kill(workers[0], signal.SIGCONT)
    assert two.values_of(order.run_id for order in orders[:2]) == [MEBIBYTE] * 2
    assert two.succeed("pid", place=0).value() == workers[0]


def test_a_worker_that_stands_before_large_orders_is_given_up(tmp_path: pathlib.Path) -> None:
    """One that takes nothing for too long is killed, and all that was meant for it runs once elsewhere."""
    with driven_pool(tmp_path, 1) as pool:
        stood = stopped_worker(pool)
        runs = [pool.start("size_of", bytes(MEBIBYTE)) for _ in range(4)]
        pool.pool._silence = 2.0  # from here on: on a busy machine, a start may take as long
        pool.until(lambda: pool.troubles)
        pool.pool._silence = PATIENCE
        assert pool.values_of(runs) == [MEBIBYTE] * 4
        assert not status_of(stood)
        assert pool.troubles[0].message == f"worker {stood} acknowledged nothing for 2 s and is replaced"


def test_a_worker_that_is_killed_in_the_middle_of_an_order_has_not_begun_it(one: Driven) -> None:
    """Half an order is none, so it is given whole to the next worker."""
    stood = stopped_worker(one)
    runs = [one.start("size_of", bytes(4 * MEBIBYTE)) for _ in range(2)]
    one.turn()
    os.kill(stood, signal.SIGKILL)
    assert one.values_of(runs) == [4 * MEBIBYTE] * 2
    assert Counter(one.begun[1:]) == dict.fromkeys(runs, 1)


def test_results_of_a_mebibyte_arrive_whole_one_behind_the_other(two: Driven) -> None:
    """What one worker writes in one go arrives in pieces, between those of the other."""
    runs = [two.start("returns_much", MEBIBYTE + number) for number in range(30)]
    assert [len(value) for value in two.values_of(runs)] == [MEBIBYTE + number for number in range(30)]


def test_news_that_comes_byte_by_byte_is_the_same_news(one: Driven) -> None:
    """No run of a line is lost or told twice by where its messages are cut."""
    runs = [one.start("writes_byte_by_byte"), *(one.start("echo", number) for number in range(30))]
    assert one.values_of(runs) == [None, *range(30)]
    assert one.story == [(what, run) for run in runs for what in ("begun", "ended")]


def test_a_worker_that_stands_when_it_is_to_retire_is_given_up(tmp_path: pathlib.Path) -> None:
    """Though nothing waits for it, it does not stay for ever."""
    with driven_pool(tmp_path, 1, recycle=1) as pool:
        worker = pool.succeed("stands_after_its_message", str(tmp_path / "stands")).value()
        poll_until(lambda: status_of(worker)[:1] == ["T"])
        pool.pool._silence = 2.0  # from here on: on a busy machine, a start may take as long
        pool.until(lambda: not status_of(worker))
        assert pool.troubles[0].message == f"worker {worker} acknowledged nothing for 2 s and is replaced"


def a_claimed_run(one: Driven, folder: pathlib.Path, *claimed: str) -> tuple[int, int, int]:
    """Return three runs of a line: the first is over, the second claimed, and their worker stands before it says so.

    Args:
        one: the pool.
        folder: for witnesses.
        claimed: what the second does; default: it leaves a line.
    """
    orders: list[Order] = [
        one.order("stands_before_its_message", str(folder / "stands")),
        one.order(*(claimed or ("leaves_a_line", str(folder / "lines"), "claimed"))),
        one.order("echo", "behind"),
    ]
    one.pool.start(orders)
    (worker,) = witnessed(one, folder / "stands")
    os.waitid(os.P_PID, worker, os.WSTOPPED | os.WNOWAIT)
    first, second, behind = [order.run_id for order in orders]
    assert one.begun == [first]
    return first, second, behind
