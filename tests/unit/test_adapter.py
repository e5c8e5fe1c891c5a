"""The adapter: whatever an executor of a plugin does, each order gets one end, and nobody else waits."""

from __future__ import annotations

import concurrent.futures
import contextlib
import functools
import math
import pickle
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Future
from pathlib import Path
from signal import SIGKILL, SIGTERM
from typing import Any

import pytest

from ujr_core import ExecutorOffer
from ujr_core.adapter import MOST_REFUSALS, FuturesExecutor
from ujr_core.execution import News, Order, PlacesAdded, RunBegun, RunEnded, RunRecalled, WorkersCannotStart
from ujr_core.executors import close_executors
from ujr_core.inbox import Inbox
from ujr_core.pool.backoff import FIRST
from ujr_core.pool.call import Site, encode_call, run_call
from ujr_core.strand import Strand, Strands
from ujr_core.testing.strands import InlineStrands
from ujr_core.values import Failure, Result

LATER = 100.0
"""Seconds after which no backoff lasts any more."""

Told = list[tuple[int, str]]


class ByHand(concurrent.futures.Executor):
    """An executor whose calls the test answers, for no real one can be made to do all that these do."""

    def __init__(self, raises: BaseException | None = None) -> None:
        self.futures: list[Future[Any]] = []
        self.data: list[bytes] = []
        self.shutdowns: list[bool] = []
        """Whether each cancelled what waits."""
        self.raises = raises

    @property
    def is_shut_down(self) -> bool:
        """Return whether it was."""
        return bool(self.shutdowns)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Take a call, or refuse it."""
        assert (fn, kwargs) == (run_call, {})
        if self.raises is not None:
            raise self.raises
        self.futures.append(Future())
        self.data += args
        return self.futures[-1]

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Note it."""
        assert not wait
        self.shutdowns.append(cancel_futures)

    def answer(self, number: int) -> None:
        """Do what a process would do."""
        self.futures[number].set_result(run_call(self.data[number]))


class Plugin:
    """What the hook does: answers these, one after the other, or raises them."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)

    def __call__(self) -> object:
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    """Return an inbox."""
    with contextlib.closing(Inbox()) as inbox:
        yield inbox


@pytest.fixture
def adapt(inbox: Inbox, tmp_path: Path) -> Callable[..., FuturesExecutor]:
    """Return what makes an adapter that is opened, and speaks to its executor at once, in the thread of the test."""

    def adapt(*answers: object, workers: int = 2) -> FuturesExecutor:
        site, strands = Site(tmp_path, ()).encoded(), InlineStrands()
        made = FuturesExecutor("x", Plugin(*answers), inbox=inbox, strands=strands, workers=workers, site=site)
        made.open()
        made.settle(time.monotonic())
        return made

    return adapt


class HeldStrand(Strand):
    """Keeps work until the test has it done."""

    def __init__(self, works: deque[Callable[[], None]]) -> None:
        super().__init__(works.append)


class HeldStrands(Strands):
    """Makes strands that do nothing by themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.works: deque[Callable[[], None]] = deque()

    def new(self) -> HeldStrand:
        """Return a strand with nothing to do."""
        return HeldStrand(self.works)

    def work(self) -> None:
        """Do all that was posted."""
        while self.works:
            self.works.popleft()()


def order(run_id: int, function: str = "math:sqrt", *args: object, has_secrets: bool = False) -> Order:
    """Return an order of one call."""
    return Order(run_id, function, pickle.dumps((args or (4,), {})), has_secrets=has_secrets)


def turn(adapter: FuturesExecutor, inbox: Inbox, *orders: Order, later: float = 0.0) -> Told:
    """Give orders, do one turn, and return what was told."""
    adapter.start(orders)
    news: list[News] = list(adapter.flush(time.monotonic() + later))
    return [told(one) for one in (*news, *inbox.wait(0.0))]


def told(news: News) -> tuple[int, str]:
    """Return the run, and what it is said to have done; 0 for what is said of no run."""
    match news:
        case PlacesAdded(executor="x", capacity=capacity):
            return 0, f"{capacity} places"
        case WorkersCannotStart(message=message):
            return 0, message
        case RunEnded(run_id=run_id, outcome=Result(summary=summary)):
            return run_id, summary
        case RunEnded(run_id=run_id, outcome=Failure(kind=kind, message=message)):
            return run_id, f"{kind}: {message}"
        case RunBegun(run_id=run_id) | RunRecalled(run_id=run_id):
            return run_id, "begun" if isinstance(news, RunBegun) else "recalled"
    raise AssertionError(news)


def test_what_was_submitted_counts_as_begun(adapt: Any, inbox: Inbox) -> None:
    """Of an executor that says nothing, a run begins when it is submitted, and ends once with its result."""
    pool = ByHand()
    adapter = adapt(pool)
    assert turn(adapter, inbox, order(1)) == [(1, "begun")]
    pool.answer(0)
    assert turn(adapter, inbox) == [(1, "2.0")]
    assert turn(adapter, inbox) == []


def test_an_executor_that_says_when_a_run_begins_is_believed(adapt: Any, inbox: Inbox) -> None:
    """Then a run has not begun because it was submitted; and one that ended has begun, whatever was said."""
    pool, begins = ByHand(), dict[Future[Any], Callable[[], None]]()
    adapter = adapt(ExecutorOffer(pool, on_begin=begins.__setitem__))
    assert turn(adapter, inbox, order(1), order(2)) == []
    begins[pool.futures[0]]()
    begins[pool.futures[0]]()
    assert turn(adapter, inbox) == [(1, "begun")]
    pool.answer(1)
    assert turn(adapter, inbox) == [(2, "begun"), (2, "2.0")]


def test_no_more_is_submitted_than_it_takes(adapt: Any, inbox: Inbox) -> None:
    """The rest waits in the runner, where it can be taken back for certain."""
    pool = ByHand()
    adapter = adapt(ExecutorOffer(pool, capacity=1))
    assert adapter.capabilities.capacity == 1
    assert turn(adapter, inbox, order(1), order(2), order(3)) == [(1, "begun")]
    adapter.recall([3, 1, 9])
    assert turn(adapter, inbox) == [(3, "recalled")]
    pool.answer(0)
    assert turn(adapter, inbox) == [(1, "2.0")]
    assert turn(adapter, inbox) == [(2, "begun")]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"garbage", "7 bytes that are no answer arrived"),
        ({"a": 1}, "a dict arrived in the place of an answer"),
        (run_call(encode_call(Site(Path("/"), ()).encoded(), 7, "math:sqrt", pickle.dumps(((4,), {})))),
         "an answer for run 7 arrived, not 1"),
        (ConnectionError("the cluster is gone"), "the cluster is gone"),
        (KeyboardInterrupt(), ""),
    ],
)  # fmt: skip
def test_what_is_no_answer_loses_the_run(adapt: Any, inbox: Inbox, answer: object, text: str) -> None:
    """An exception of the executor, or bytes that are none of ours, are told as executor_lost, and it goes on."""
    pool = ByHand()
    adapter = adapt(pool)
    turn(adapter, inbox, order(1))
    if isinstance(answer, BaseException):
        pool.futures[0].set_exception(answer)
    else:
        pool.futures[0].set_result(answer)
    assert turn(adapter, inbox) == [(1, f'executor_lost: executor "x" has lost the run: {text}')]
    assert turn(adapter, inbox, order(2)) == [(2, "begun")]


def test_what_the_executor_itself_cancels_is_lost(adapt: Any, inbox: Inbox) -> None:
    """Nobody asked for it, so it is no cancel of a person."""
    pool = ByHand()
    adapter = adapt(pool)
    turn(adapter, inbox, order(1))
    pool.futures[0].cancel()
    assert turn(adapter, inbox) == [(1, 'executor_lost: executor "x" has cancelled the run')]


def test_a_run_that_is_killed_where_it_waits_is_cancelled(adapt: Any, inbox: Inbox) -> None:
    """It was said to have begun, so it has an outcome; where beginnings are said, it is taken back."""
    pool, begins = ByHand(), dict[Future[Any], Callable[[], None]]()
    adapter = adapt(pool)
    turn(adapter, inbox, order(1))
    adapter.kill(1, signal=SIGTERM)
    assert turn(adapter, inbox) == [(1, "cancelled: the run was cancelled where it waited")]
    adapter = adapt(ExecutorOffer(pool, on_begin=begins.__setitem__))
    turn(adapter, inbox, order(2), order(3))
    adapter.kill(2, signal=SIGTERM)
    adapter.recall([3])
    assert turn(adapter, inbox) == [(2, "recalled"), (3, "recalled")]


def test_a_run_is_killed_at_the_end_of_its_grace(adapt: Any, inbox: Inbox) -> None:
    """At TERM it is cancelled, if it can be; at KILL the executor is asked to kill it, if it says that it can."""
    pool, killed = ByHand(), list[Future[Any]]()
    adapter = adapt(ExecutorOffer(pool, kill=killed.append))
    turn(adapter, inbox, order(1))
    pool.futures[0].set_running_or_notify_cancel()
    adapter.kill(1, signal=SIGTERM)
    assert killed == []
    adapter.kill(1, signal=SIGKILL)
    assert killed == pool.futures
    pool.futures[0].set_exception(RuntimeError("killed"))
    assert turn(adapter, inbox) == [(1, 'executor_lost: executor "x" has lost the run: killed')]


def test_that_it_cannot_kill_is_said_once(adapt: Any, inbox: Inbox) -> None:
    """The run goes on, and is told as what it was."""
    pool = ByHand()
    adapter = adapt(pool)
    turn(adapter, inbox, order(1))
    pool.futures[0].set_running_or_notify_cancel()
    for _ in range(3):
        adapter.kill(1, signal=SIGKILL)
    turn(adapter, inbox)
    assert turn(adapter, inbox) == [
        (0, 'executor "x" cannot end a run, which goes on, and keeps its place until it ends')
    ]
    pool.answer(0)
    assert turn(adapter, inbox) == [(1, "2.0")]


def test_what_comes_late_or_twice_changes_nothing(adapt: Any, inbox: Inbox) -> None:
    """Each order has one end, whatever is told of it afterwards, or of one that was never given."""
    pool = ByHand()
    adapter = adapt(pool)
    turn(adapter, inbox, order(1))
    pool.answer(0)
    turn(adapter, inbox)
    for run_id in (1, 77):
        adapter.begun(run_id)
        adapter.sent(run_id)
        adapter.ended(run_id, None)
        adapter.refused(run_id, RuntimeError())
        adapter.kill(run_id, signal=SIGKILL)
        adapter.recall([run_id])
        adapter.warn(run_id)
    assert turn(adapter, inbox) == []
    assert turn(adapter, inbox, order(2)) == [(2, "begun")]


def test_a_submit_that_raises_loses_one_run(adapt: Any, inbox: Inbox) -> None:
    """That run alone: the executor stays, what goes on there goes on, and so does what comes next."""
    pool, killed = ByHand(), list[Future[Any]]()
    adapter = adapt(ExecutorOffer(pool, kill=killed.append))
    for run in (1, 4, 7):
        turn(adapter, inbox, order(run))
        pool.raises = OSError(24, "Too many open files")
        for refused in (run + 1, run + 2):
            assert turn(adapter, inbox, order(refused)) == [
                (refused, "begun"),
                (refused, 'executor_lost: executor "x" has lost the run: [Errno 24] Too many open files'),
            ]
        pool.raises = None
        assert turn(adapter, inbox) == []
        pool.futures[-1].set_running_or_notify_cancel()
        pool.answer(-1)
        assert turn(adapter, inbox) == [(run, "2.0")]
    assert (killed, pool.shutdowns) == ([], [])


def test_an_executor_that_takes_nothing_any_more_is_opened_anew(adapt: Any, inbox: Inbox) -> None:
    """Whatever it raises; what goes on in it ends as what it is, or is killed when the runner ends."""
    pool, fresh, killed = ByHand(), ByHand(), list[Future[Any]]()
    adapter = adapt(ExecutorOffer(pool, kill=killed.append, capacity=9), fresh, workers=9)
    turn(adapter, inbox, order(1), order(2))
    for future in pool.futures:
        future.set_running_or_notify_cancel()
    pool.raises = LookupError("the client was closed")
    turn(adapter, inbox, *map(order, range(3, 3 + MOST_REFUSALS)))
    assert turn(adapter, inbox) == [
        (0, 'executor "x" is broken, and is opened anew: LookupError: the client was closed')
    ]
    assert (killed, pool.shutdowns) == ([], [False])
    turn(adapter, inbox, order(50), later=LATER)
    assert turn(adapter, inbox) == [(50, "begun")]
    pool.answer(0)
    assert turn(adapter, inbox) == [(1, "2.0")]
    adapter.close()
    assert (killed, fresh.shutdowns) == ([pool.futures[1]], [True])


def test_an_executor_that_was_shut_down_is_opened_anew(adapt: Any, inbox: Inbox) -> None:
    """The run fails, and what waits goes to another one, which the plugin supplies."""
    shut, fresh = ByHand(RuntimeError("cannot schedule new futures after shutdown")), ByHand()
    adapter = adapt(ExecutorOffer(shut, capacity=1), fresh, workers=1)
    first = turn(adapter, inbox, order(1), order(2))
    assert first == [
        (1, "begun"),
        (1, 'executor_lost: executor "x" has lost the run: cannot schedule new futures after shutdown'),
    ]
    assert shut.is_shut_down
    why = 'executor "x" is broken, and is opened anew: RuntimeError: cannot schedule new futures after shutdown'
    assert turn(adapter, inbox) == [(0, why)]
    assert time.monotonic() - 1 < adapter.next_wake < time.monotonic() + 5
    turn(adapter, inbox, later=LATER)
    assert turn(adapter, inbox) == [(2, "begun")]


def test_a_broken_executor_loses_what_it_had_begun_alone(adapt: Any, inbox: Inbox) -> None:
    """What it refuses because another run broke it has not begun, and goes to the next one."""
    broken, fresh = ByHand(), ByHand()
    adapter = adapt(broken, fresh)
    turn(adapter, inbox, order(1))
    broken.raises = BrokenExecutor("a process died")
    assert turn(adapter, inbox, order(2)) == []
    broken.futures[0].set_exception(BrokenExecutor("a process died"))
    told = turn(adapter, inbox, later=LATER)
    assert (1, 'executor_lost: executor "x" has lost the run: a process died') in told
    turn(adapter, inbox, later=LATER)
    assert len(fresh.futures) == 1
    fresh.answer(0)
    assert (2, "2.0") in turn(adapter, inbox)


def test_a_broken_executor_gives_back_what_it_was_not_given(inbox: Inbox, tmp_path: Path) -> None:
    """What was about to be submitted when it broke goes to the next one, and to that alone."""
    broken, fresh, strands = ByHand(), ByHand(), HeldStrands()
    site = Site(tmp_path, ()).encoded()
    adapter = FuturesExecutor("x", Plugin(broken, fresh), inbox=inbox, strands=strands, workers=2, site=site)
    adapter.open()
    strands.work()
    adapter.settle(time.monotonic())
    turn(adapter, inbox, order(1))
    strands.work()
    turn(adapter, inbox, order(2))
    broken.futures[0].set_exception(BrokenExecutor("a process died"))
    turn(adapter, inbox)
    turn(adapter, inbox, later=LATER)
    strands.work()
    turn(adapter, inbox)
    turn(adapter, inbox)
    strands.work()
    assert turn(adapter, inbox) == [(2, "begun")]
    assert (len(broken.futures), len(fresh.futures)) == (1, 1)


def test_what_was_recalled_does_not_go_to_the_next_executor(inbox: Inbox, tmp_path: Path) -> None:
    """Whoever kills a run while it is submitted to one that is broken has it back."""

    class Breaks(ByHand):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            adapter.kill(1, signal=SIGTERM)
            raise BrokenExecutor("a process died")

    fresh, strands, site = ByHand(), InlineStrands(), Site(tmp_path, ()).encoded()
    adapter = FuturesExecutor("x", Plugin(Breaks(), fresh), inbox=inbox, strands=strands, workers=2, site=site)
    adapter.open()
    adapter.settle(time.monotonic())
    assert turn(adapter, inbox, order(1)) == [(1, "recalled")]
    turn(adapter, inbox, later=LATER)
    turn(adapter, inbox, order(2), later=LATER)
    assert turn(adapter, inbox) == [(2, "begun")]
    assert len(fresh.futures) == 1


def test_a_run_that_went_well_ends_the_backoff(adapt: Any, inbox: Inbox) -> None:
    """An executor that breaks once a day is opened anew as soon each time, and that is said each time."""
    pools = [ByHand(), ByHand()]
    adapter = adapt(*pools, workers=1)
    for run, pool in enumerate(pools):
        turn(adapter, inbox, order(10 * run), later=LATER)
        turn(adapter, inbox)
        pool.answer(0)
        turn(adapter, inbox)
        turn(adapter, inbox, order(10 * run + 1))
        pool.futures[1].set_exception(BrokenExecutor("a process died"))
        turn(adapter, inbox)
        (said,) = adapter.flush(time.monotonic())
        assert said.retry_after == pytest.approx(FIRST, abs=1e-6)


def test_a_run_of_which_the_beginning_cannot_be_told_has_begun(adapt: Any, inbox: Inbox) -> None:
    """It is the executor's fault, which is said; the run ends with its result."""

    def on_begin(future: Future[Any], begins: Callable[[], None]) -> None:
        raise LookupError("no such future")

    pool = ByHand()
    adapter = adapt(ExecutorOffer(pool, on_begin=on_begin))
    assert turn(adapter, inbox, order(1)) == [(1, "begun")]
    pool.answer(0)
    said = 'executor "x" cannot say when a run begins: LookupError: no such future'
    assert turn(adapter, inbox) == [(0, said), (1, "2.0")]


def test_secrets_go_to_an_executor_that_carries_them(adapt: Any, inbox: Inbox) -> None:
    """One that is away is asked when it is back; when its next offer is weaker, it gets none, and the run says so."""
    pool, weaker = ByHand(), ByHand()
    adapter = adapt(OSError("away"), ExecutorOffer(pool, carries_secrets=True), weaker, workers=1)
    assert turn(adapter, inbox, order(1, has_secrets=True)) == [(0, 'executor "x" cannot be had: OSError: away')]
    turn(adapter, inbox, later=LATER)
    assert turn(adapter, inbox) == [(1, "begun")]
    adapter.start([order(2, has_secrets=True), order(3)])
    pool.futures[0].set_exception(BrokenExecutor("a process died"))
    turn(adapter, inbox)
    turn(adapter, inbox, later=LATER)
    told = turn(adapter, inbox)
    why = 'the arguments hold a secret, and executor "x" does not say that it may be trusted with secrets'
    assert told == [(2, "begun"), (2, f"not_serialisable: {why}"), (3, "begun")]
    assert len(weaker.futures) == 1


def test_a_plugin_that_raises_is_asked_again(adapt: Any, inbox: Inbox) -> None:
    """Its runs wait, what is wrong is said once, and when it is well again they start, without a restart."""
    pool = ByHand()
    away = OSError("no route to the cluster")
    adapter = adapt(away, away, [], ExecutorOffer(pool, capacity=5))
    assert adapter.capabilities.capacity == 2
    said = [text for _ in range(6) for _, text in turn(adapter, inbox, later=LATER)]
    assert said == ['executor "x" cannot be had: OSError: no route to the cluster']
    adapter.start([order(1), order(2), order(3)])
    said = [text for _ in range(6) for _, text in turn(adapter, inbox, later=LATER)]
    assert 'executor "x" cannot be had: executor of plugin "x" returned a list' in said
    assert said[-4:] == ["5 places", "begun", "begun", "begun"]
    assert (adapter.capabilities.capacity, len(pool.futures)) == (5, 3)


def test_a_plugin_that_does_not_answer_is_waited_for(inbox: Inbox, tmp_path: Path) -> None:
    """Others do not wait for it; its answer is used when it comes, however late."""
    may_answer, pool = threading.Event(), ByHand()
    strands = Strands()
    site = Site(tmp_path, ()).encoded()

    def ask() -> object:
        may_answer.wait()
        return ExecutorOffer(pool, capacity=5)

    adapter = FuturesExecutor("x", ask, inbox=inbox, strands=strands, workers=1, site=site, patience=60)
    adapter.open()
    assert turn(adapter, inbox, order(1)) == []
    assert time.monotonic() < adapter.next_wake <= time.monotonic() + 60
    said = [*turn(adapter, inbox), *turn(adapter, inbox, later=LATER)]
    assert said == [(0, 'executor "x" has not answered for 1 min; its runs wait for it')]
    assert adapter.next_wake == math.inf
    may_answer.set()
    adapter.has_answered.wait()
    assert turn(adapter, inbox) == [(0, "5 places")]
    news: Told = []
    while not news:
        news = turn(adapter, inbox)
    assert news == [(1, "begun")]
    adapter.close()
    strands.close(time.monotonic() + 10)


def test_a_submit_that_blocks_holds_up_nobody(inbox: Inbox, tmp_path: Path) -> None:
    """It blocks on a thread of its own: what waits behind it can be taken back, and it can be closed."""
    may_go_on, is_in = threading.Event(), threading.Event()

    class Blocks(ByHand):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            is_in.set()
            may_go_on.wait()
            return super().submit(fn, *args, **kwargs)

    pool, strands, site = Blocks(), Strands(), Site(tmp_path, ()).encoded()
    adapter = FuturesExecutor("x", lambda: pool, inbox=inbox, strands=strands, workers=2, site=site)
    adapter.open()
    adapter.settle(time.monotonic() + 60)
    assert turn(adapter, inbox, order(1), order(2)) == []
    is_in.wait()
    adapter.recall([2])
    assert turn(adapter, inbox) == [(2, "recalled")]
    adapter.close()
    assert pool.is_shut_down
    may_go_on.set()
    strands.close(time.monotonic() + 10)


def test_what_is_opened_while_it_is_closed_is_shut_down(inbox: Inbox, tmp_path: Path) -> None:
    """No executor is left behind by a plugin that answered too late."""
    may_answer, pool, strands = threading.Event(), ByHand(), Strands()

    def ask() -> object:
        may_answer.wait()
        return pool

    adapter = FuturesExecutor("x", ask, inbox=inbox, strands=strands, workers=1, site=Site(tmp_path, ()).encoded())
    adapter.open()
    adapter.close()
    may_answer.set()
    adapter.has_answered.wait()
    assert pool.is_shut_down
    strands.close(time.monotonic() + 10)


def test_an_executor_that_was_opened_just_before_is_shut_down(inbox: Inbox, tmp_path: Path) -> None:
    """Also if the loop had no turn since."""
    pool, site = ByHand(), Site(tmp_path, ()).encoded()
    adapter = FuturesExecutor("x", lambda: pool, inbox=inbox, strands=InlineStrands(), workers=1, site=site)
    adapter.open()
    adapter.close()
    assert pool.is_shut_down


def test_what_runs_is_killed_when_it_is_closed(adapt: Any, inbox: Inbox) -> None:
    """If it can be; nobody would wait for it."""
    pool, killed = ByHand(), list[Future[Any]]()
    adapter = adapt(ExecutorOffer(pool, kill=killed.append))
    turn(adapter, inbox, order(1))
    pool.futures[0].set_running_or_notify_cancel()
    adapter.close()
    adapter.close()
    assert (killed, pool.shutdowns) == (pool.futures, [True])


def test_executors_are_closed_together(inbox: Inbox, tmp_path: Path) -> None:
    """One whose end takes long does not put off that of the others: here, each waits for the other's."""
    begin, met = [threading.Event(), threading.Event()], list[bool]()

    class Waits(ByHand):
        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            begin[self.number].set()
            met.append(begin[1 - self.number].wait(20))  # only a broken adapter takes them

    strands, site = Strands(), Site(tmp_path, ()).encoded()
    adapters = [
        FuturesExecutor("x", functools.partial(Waits, number), inbox=inbox, strands=strands, workers=1, site=site)
        for number in (0, 1)
    ]
    for adapter in adapters:
        adapter.open()
        adapter.settle(time.monotonic() + 60)
    close_executors(adapters, within=60.0)
    assert met == [True, True]
    strands.close(time.monotonic() + 10)


def test_an_offer_says_what_it_can_do(adapt: Any) -> None:
    """What a plugin declares is what the scheduler knows; what it does not, is not assumed."""
    plain = adapt(ByHand(), workers=3).capabilities
    assert (plain.capacity, plain.longest_line, plain.acknowledges, plain.can_kill) == (3, 1, False, False)
    assert (plain.survives_runner, plain.carries_secrets) == (False, False)
    able = ExecutorOffer(ByHand(), 4, print, print, survives_runner=True, carries_secrets=True)
    able = adapt(able).capabilities
    assert (able.capacity, able.acknowledges, able.can_kill) == (4, True, True)
    assert (able.survives_runner, able.carries_secrets) == (True, True)
    for capacity in (0, -1, True, 2.5, "2"):
        with pytest.raises(ValueError, match="no count of at least 1"):
            ExecutorOffer(ByHand(), capacity)  # type: ignore[arg-type]  # as a stranger may write it
