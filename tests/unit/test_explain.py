"""Explain: for each state of a job, and for each verdict of a task, the reason a person is given."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.world import NOON, Ends, JobHeldUp, JobRefused, Needs, StopRequested, Wait, World
from ujr_core.scheduler.events import JobRemoved, LimitsSet
from ujr_core.scheduler.explanation import LastVerdict
from ujr_core.values import Backoff, JobDone, NextCheck
from ujr_core.values.limits import Limit, Rate


def last(world: World, signature: str) -> LastVerdict:
    """Return the last verdict about a task of the job "a"."""
    return next(verdict for verdict in world.explain("a").last if verdict.signature == signature)


def done() -> list[str]:
    """Say that there is nothing to do."""
    raise JobDone


def broken() -> list[str]:
    """Raise."""
    raise ValueError("no such table")


def test_a_task_that_was_started() -> None:
    """Started, and when; its signature is among those that run."""
    world = World()
    world.ends["x"] = Ends(seconds=100)
    world.job("a", lambda: ["x"], at=5, check_interval=50)
    world.run(until=20)
    assert last(world, "x") == LastVerdict("x", "started", NOON + 5)
    assert world.explain("a").verdicts == {"started": 1}
    assert world.explain("a").running == ("x",)


def test_a_task_that_is_running_already() -> None:
    """A task that is named again while it runs is not started, for that reason."""
    world = World()
    world.ends["x"] = Ends(seconds=100)
    world.job("a", lambda: ["x"], check_interval=10)
    world.run(until=20)
    assert last(world, "x") == LastVerdict("x", "running already", NOON + 20)
    assert world.explain("a").verdicts == {"started": 1, "running already": 2}


def test_a_task_that_is_over_for_its_firing() -> None:
    """What succeeded in the firing that is not settled is over."""
    world = World()
    world.ends["y"] = Ends(seconds=100)
    world.job("a", lambda: ["x", "y"], every=3600)
    world.run(until=50)
    assert last(world, "x").verdict == "over"
    assert last(world, "x").until is None
    assert world.explain("a").due == NOON


def test_a_task_that_is_over_for_a_one_shot() -> None:
    """What succeeded since a JobDone is over, until the job is done."""
    world = World()
    world.ends["y"] = Ends(fails=1)

    def answers() -> Iterator[str]:
        yield from "xy"
        raise JobDone

    world.job("a", answers)
    world.run(until=50)
    assert last(world, "x").verdict == "over"


def test_a_task_that_is_quarantined() -> None:
    """A task that was given up is named so, and counted."""
    world = World()
    world.ends["x"] = Ends(fails=9)
    world.job("a", lambda: ["x", "y"], give_up_after=2, check_interval=10)
    world.run(until=100)
    assert last(world, "x").verdict == "quarantined"
    assert world.explain("a").quarantined == 1


def test_a_task_that_backs_off() -> None:
    """A task that failed backs off until a time that is said, and is asked about then."""
    world = World()
    world.ends["x"] = Ends(fails=9)
    world.job("a", lambda: ["x"], backoff=Backoff(first=600, max=600), check_interval=10)
    world.run(until=100)
    verdict = last(world, "x")
    assert verdict.verdict == "backing off"
    assert verdict.until is not None
    world.run(until=700)
    assert world.start_times("x")[1] == pytest.approx(verdict.until - NOON, abs=1)


def test_a_task_that_a_person_cancelled_backs_off() -> None:
    """Without a schedule what a person cancelled is left alone until a time that is said."""
    world = World()
    world.ends["x"] = Ends(seconds=50)
    world.job("a", lambda: ["x"], check_interval=10)
    world.cancel(5, "a")
    world.run(until=100)
    assert (last(world, "x").verdict, last(world, "x").until) == ("backing off", NOON + 305)


def test_a_task_that_is_paced() -> None:
    """A task that succeeded is paced until a time that is said, and starts then."""
    world = World()
    world.job("a", lambda: [NextCheck(after=5), "x"], check_interval=60)
    world.run(until=7)
    assert last(world, "x") == LastVerdict("x", "paced", NOON + 5, NOON + 60)
    world.run(until=61)
    assert world.start_times("x") == [0, 60]


def test_a_task_that_is_held_at_a_limit_that_is_full() -> None:
    """The limit at which a task is held is named; what else it uses is not."""
    world = World(workers=9, limits={"api": Limit(concurrent=1), "disk": Limit(concurrent=5)})
    world.ends.update(x=Ends(seconds=100), y=Ends(seconds=100))
    uses = (("api", 1), ("disk", 1))
    world.job("b", lambda: [Needs("x", uses)], check_interval=1000)
    world.job("a", lambda: [Needs("y", uses)], at=5, check_interval=1000)
    world.run(until=50)
    assert last(world, "y") == LastVerdict("y", "held", NOON + 5, None, ("api",))
    assert world.explain("a").text == "a task of its answer is held at api"
    assert world.explain("a").state == "answering"
    world.run(until=150)
    assert last(world, "y").verdict == "started"
    assert last(world, "y").at == NOON + 100
    assert world.explain("a").verdicts == {"held": 1, "started": 1}


def test_a_task_that_is_held_at_two_limits() -> None:
    """Each limit that was found full is named."""
    world = World(workers=9, limits={name: Limit(concurrent=1) for name in ("api", "disk", "gpu")})
    world.ends.update(x=Ends(seconds=100), y=Ends(seconds=50))
    world.job("b", lambda: [Needs("x", (("api", 1),)), Needs("y", (("disk", 1),))], check_interval=1000)
    world.job("a", lambda: [Needs("z", (("api", 1), ("disk", 1), ("gpu", 1)))], at=5, check_interval=1000)
    world.run(until=40)
    assert last(world, "z").limits == ("api", "disk")
    assert world.explain("a").text == "a task of its answer is held at api, disk"


def test_a_task_that_is_held_by_a_rate() -> None:
    """A rate that is used up holds a task, under the limit's name."""
    world = World(limits={"api": Limit(rate=Rate(1, 600))})
    world.job("a", lambda: [Needs("x", (("api", 1),)), Needs("y", (("api", 1),))], check_interval=3600)
    world.run(until=100)
    assert (last(world, "y").verdict, last(world, "y").limits) == ("held", ("api",))
    world.run(until=601)
    assert world.start_times("y") == [600]


def test_a_task_that_is_held_at_a_limit_that_rests() -> None:
    """A limit that was told to rest holds a task, under its name."""
    world = World(limits={"api": Limit(concurrent=5)})
    world.ends["x"] = Ends(fails=1, kind="deferred", retry_after=600, limit="api")
    world.job("b", lambda: [Needs("x", (("api", 1),))], check_interval=3600)
    world.job("a", lambda: [Needs("y", (("api", 1),))], at=5, check_interval=3600)
    world.run(until=100)
    assert (last(world, "y").verdict, last(world, "y").limits) == ("held", ("api",))


def test_a_task_that_waits_in_a_line() -> None:
    """A limit with room, but with a line before it, is what a task is held at."""
    world = World(workers=9, limits={"api": Limit(concurrent=2)})
    world.ends.update(x=Ends(seconds=100))
    world.job("b", lambda: [Needs("x", (("api", 1),))], check_interval=1000)
    world.job("c", lambda: [Needs("heavy", (("api", 2),))], at=1, check_interval=1000)
    world.job("a", lambda: [Needs("y", (("api", 1),))], at=5, check_interval=1000)
    world.run(until=50)
    assert (last(world, "y").verdict, last(world, "y").limits) == ("held", ("api",))


def test_a_task_that_can_never_start() -> None:
    """A weight above a limit's size is a run that was started, and failed at once."""
    world = World(limits={"api": Limit(concurrent=1)})
    world.job("a", lambda: [Needs("x", (("api", 2),))], check_interval=1000)
    world.run(until=0.5)
    assert last(world, "x").verdict == "started"
    assert "size is 1" in world.reports[-1][3].message


def test_limits_that_change_free_what_is_held() -> None:
    """When a limit grows, what it held is started, and explained so."""
    world = World(limits={"api": Limit(concurrent=1)})
    world.ends.update(x=Ends(seconds=100), y=Ends(seconds=100))
    world.job("a", lambda: [Needs("x", (("api", 1),)), Needs("y", (("api", 1),))], check_interval=1000)
    world.at(10, LimitsSet({"api": Limit(concurrent=2)}))
    world.run(until=50)
    assert (last(world, "y").verdict, last(world, "y").at) == ("started", NOON + 10)


def test_each_pulled_task_gets_one_final_verdict() -> None:
    """The counts of all verdicts but "held" add up to the tasks that were pulled."""
    world = World(workers=3, limits={"api": Limit(concurrent=1)})
    world.ends.update(slow=Ends(seconds=7), bad=Ends(fails=10**9), ill=Ends(fails=9, kind="worker_lost"))
    uses = (("api", 1),)
    world.job("a", lambda: ["slow", "bad", Needs("ill", uses), "quick", "quick", Needs("slim", uses)], check_interval=3)
    world.run(until=300)
    verdicts = world.explain("a").verdicts
    assert sum(count for verdict, count in verdicts.items() if verdict != "held") == world.pulled["a"]
    assert verdicts["started"] == len(world.starts)
    assert {"started", "running already", "backing off", "quarantined", "paced"} <= set(verdicts)


def test_the_last_verdicts_are_bounded_and_each_signature_stands_once() -> None:
    """Fifty verdicts are kept, the newest last; a task that is named for ever pushes none of them out."""
    world = World()
    world.ends["again"] = Ends(seconds=10**6)

    def answers() -> Iterator[str]:
        yield "again"
        if len(world.asks) == 1:
            yield from (f"t{number}" for number in range(100))
        yield from itertools.repeat("again", 1000)

    world.job("a", answers, check_interval=10)
    world.run(until=100)
    signatures = [verdict.signature for verdict in world.explain("a").last]
    assert signatures == [*(f"t{number}" for number in range(51, 100)), "again"]


def test_a_job_that_starts() -> None:
    """Starting: its details are being fetched."""
    world = World()
    world.details["a"] = [JobHeldUp("nobody", "")]  # of another job: its own are still to come
    world.job("a", list)
    world.run(until=2)
    explanation = world.explain("a")
    assert (explanation.state, explanation.text) == ("starting", "its details are being fetched")


def test_a_job_that_waits_for_a_secret() -> None:
    """Waiting: for what, is said."""
    world = World()
    world.details["a"] = [JobHeldUp("a", "vault is sealed")] * 5
    world.job("a", list)
    world.run(until=2)
    explanation = world.explain("a")
    assert (explanation.state, explanation.text) == (
        "waiting",
        "it waits for what it needs to start: vault is sealed",
    )
    assert explanation.asked_at is None


def test_a_job_that_cannot_start() -> None:
    """Failed: why, is said, also while the runner stops."""
    world = World()
    world.ends["x"] = Ends(seconds=100)
    world.details["a"] = [JobRefused("a", "secret denied")]
    world.job("a", list)
    world.job("b", lambda: ["x"])
    world.at(2, StopRequested(0))
    for until in (1, 3):
        world.run(until=until)
        explanation = world.explain("a")
        assert (explanation.state, explanation.text) == ("failed", "it cannot start: secret denied")
        assert explanation.next_ask is None


def test_a_job_that_rests_until_its_check_interval() -> None:
    """Resting: it was asked because it started, and is asked again so long after that."""
    world = World()
    world.job("a", list, check_interval=60)
    world.run(until=10)
    explanation = world.explain("a")
    assert (explanation.state, explanation.text) == ("resting", "it is asked again after check_interval")
    assert (explanation.asked_at, explanation.asked_for, explanation.next_ask) == (NOON, "it started", NOON + 60)
    world.run(until=61)
    assert world.explain("a").asked_for == "check_interval passed"


def test_a_job_that_waits_for_its_next_check() -> None:
    """Resting: it said itself when it wants to be asked."""
    world = World()
    world.job("a", lambda: [NextCheck(after=300)])
    world.run(until=10)
    explanation = world.explain("a")
    assert (explanation.state, explanation.text) == ("resting", "it waits for its own NextCheck")
    assert explanation.next_ask == NOON + 300
    world.run(until=301)
    assert world.explain("a").asked_for == "its NextCheck came"


def test_a_job_whose_runs_go_on() -> None:
    """Running, though nothing is asked of it: an unsettled firing waits for the end of a run."""
    world = World()
    world.ends["x"] = Ends(seconds=100)
    world.job("a", lambda: ["x"], every=3600)
    world.run(until=50)
    explanation = world.explain("a")
    assert (explanation.state, explanation.text) == ("running", "its runs go on")
    assert (explanation.due, explanation.next_firing) == (NOON, NOON + 3600)
    world.run(until=101)
    assert world.explain("a").asked_for == "a run ended"


def test_a_job_whose_tasks_back_off() -> None:
    """Resting: how many of its tasks back off is said, and when the first may be asked about."""
    world = World()
    world.ends.update(x=Ends(fails=9), y=Ends(fails=9))
    world.job("a", lambda: ["x", "y"], backoff=Backoff(first=600, max=600), every=7200)
    world.run(until=100)
    explanation = world.explain("a")
    assert (explanation.state, explanation.text) == ("resting", "tasks of it that failed, and back off: 2")
    assert explanation.next_ask is not None
    assert 600 <= explanation.next_ask - NOON <= 660
    world.run(until=explanation.next_ask - NOON)
    assert world.explain("a").asked_for == "the backoff of a task ended"


def test_a_job_whose_hook_backs_off() -> None:
    """Resting: how often its hook raised, and what, is said, and when it is asked again."""
    world = World()
    world.job("a", broken, backoff=Backoff(first=100, factor=2, max=1000))
    world.run(until=150)
    explanation = world.explain("a")
    assert explanation.state == "resting"
    assert explanation.text == "its hook raised 2 times in a row, and backs off: no such table"
    assert explanation.next_ask is not None
    world.run(until=400)
    assert world.ask_times("a")[2] == pytest.approx(explanation.next_ask - NOON)
    assert world.explain("a").asked_for == "the backoff of its hook ended"


def test_a_job_that_waits_for_its_next_firing() -> None:
    """Resting: with no firing unsettled it waits for the next, which is named."""
    world = World()
    world.job("a", list, every=3600)
    world.run(until=100)
    explanation = world.explain("a")
    assert (explanation.state, explanation.text) == ("resting", "it waits for its next firing")
    assert (explanation.due, explanation.next_firing, explanation.next_ask) == (None, NOON + 3600, NOON + 3600)
    assert explanation.asked_for == "a firing took its turn"


def test_a_job_that_is_wanted_and_waits_out_its_second() -> None:
    """Resting: it is wanted, and asked a second after its last ask."""
    world = World()
    world.ends["x"] = Ends(seconds=0.3, fails=1)
    world.job("a", lambda: ["x"] if len(world.asks) == 1 else [])
    world.run(until=0.5)
    explanation = world.explain("a")
    assert explanation.state == "resting"
    assert explanation.text == (
        "it is wanted, and asked as soon as a second has passed since its last ask: a run ended"
    )
    assert explanation.next_ask == NOON + 1


@pytest.mark.parametrize("ask", ["trigger", "retry"])
def test_what_a_person_asked_for(ask: str) -> None:
    """The last ask says that a person wanted it."""
    world = World()
    world.job("a", list, check_interval=3600)
    getattr(world, ask)(10, "a")
    world.run(until=20)
    explanation = world.explain("a")
    assert explanation.asked_at == NOON + 10
    assert explanation.asked_for == {"trigger": "a person triggered it", "retry": "a person retried it"}[ask]


def test_a_job_that_answers() -> None:
    """Answering: since when its plugin has been asked is said."""
    world = World()
    world.ask_seconds["a"] = 50
    world.job("a", list)
    world.run(until=12)
    explanation = world.explain("a")
    assert explanation.state == "answering"
    assert explanation.text == "its plugin is asked for tasks, since 12 s"
    assert explanation.next_ask is None


def test_a_job_that_waits_for_a_place() -> None:
    """Answering: all places are taken."""
    world = World(workers=1)
    world.ends["x"] = Ends(seconds=100)
    world.job("a", lambda: ["x", "y"])
    world.run(until=12)
    explanation = world.explain("a")
    assert explanation.state == "answering"
    assert explanation.text == "a task of its answer waits for a place: workers, or its max_tasks, are all taken"


def test_an_answer_that_rests() -> None:
    """Answering: an answer of nothing but drops rests."""
    world = World()
    world.ends["x"] = Ends(seconds=100)
    world.job("a", lambda: itertools.repeat("x"))
    world.run(until=0.5)
    explanation = world.explain("a")
    assert explanation.state == "answering"
    assert explanation.text == (
        "its answer named ten thousand tasks in a row that may not start now, and rests for a second"
    )


def test_a_job_that_hangs() -> None:
    """Hung: a pull has outlasted ask_timeout; afterwards it is what it was."""
    world = World()
    world.job("a", lambda: iter([Wait(200)]), ask_timeout=60, check_interval=1000)
    world.run(until=59)
    assert world.explain("a").state == "answering"
    world.run(until=90)
    assert world.explain("a").state == "hung"
    assert world.explain("a").text == "its plugin is asked for tasks, since 1 min 30 s"
    world.run(until=201)
    assert world.explain("a").state == "resting"


def test_a_job_that_leaves() -> None:
    """Leaving: it said JobDone, and a run of it goes on."""
    world = World()
    world.ends["x"] = Ends(seconds=100)

    def answers() -> Iterator[str]:
        yield "x"
        raise JobDone

    world.job("a", answers)
    world.run(until=50)
    explanation = world.explain("a")
    assert (explanation.state, explanation.text) == ("leaving", "it said that it is done once what runs has ended")
    assert explanation.next_ask is None


def test_a_job_that_is_done() -> None:
    """Done: it said JobDone, and nothing of it runs."""
    world = World()
    world.job("a", done)
    world.run(until=50)
    explanation = world.explain("a")
    assert (explanation.state, explanation.text) == ("done", "it said that there is nothing more to do")
    assert explanation.next_ask is None


def test_a_job_that_is_quarantined() -> None:
    """Quarantined: its hook raised too often; what it raised and what lifts that are said."""
    world = World()
    world.job("a", broken, give_up_after=2)
    world.run(until=50)
    explanation = world.explain("a")
    assert explanation.state == "quarantined"
    assert explanation.text == ("its hook raised 2 times in a row: ujr retry a lifts that; it raised no such table")
    assert explanation.next_ask is None


def test_a_job_that_is_paused() -> None:
    """Paused: by a person, and what lifts that is said; what runs of it is named."""
    world = World()
    world.ends["x"] = Ends(seconds=100)
    world.job("a", lambda: ["x"])
    world.pause(10, "a")
    world.run(until=50)
    explanation = world.explain("a")
    assert (explanation.state, explanation.text) == ("paused", "a person paused it: ujr resume lets it go on")
    assert explanation.running == ("x",)
    assert explanation.next_ask is None


def test_a_job_that_is_removed() -> None:
    """Stopping: it is no longer configured, and its last runs end; then nobody knows it."""
    world = World()
    world.ends["x"] = Ends(seconds=100)
    world.job("a", lambda: ["x"], on_stop="finish")
    world.at(10, JobRemoved("a"))
    world.run(until=50)
    explanation = world.explain("a")
    assert (explanation.state, explanation.text) == ("stopping", "it is no longer configured; its last runs end")
    world.run(until=101)
    with pytest.raises(KeyError):
        world.explain("a")


def test_a_runner_that_stops() -> None:
    """Whatever a job was doing: the runner stops, and starts nothing more."""
    world = World()
    world.ends["x"] = Ends(seconds=20)
    world.job("a", lambda: ["x"])
    world.at(10, StopRequested(0))
    world.run(until=15)
    explanation = world.explain("a")
    assert explanation.text == "the runner stops, and starts nothing more"
    assert explanation.next_ask is None


def test_firings_that_wait_merge_and_are_dropped_are_counted() -> None:
    """The firing that is asked about, those that wait, and how many made way or were dropped."""
    world = World()
    world.ends["x"] = Ends(seconds=1000)
    world.job("a", lambda: ["x"], every=60)
    world.job("b", lambda: ["x"], every=60, missed="skip")
    world.run(until=310)
    kept, dropped = world.explain("a"), world.explain("b")
    assert (kept.due, kept.waiting, kept.merged, kept.dropped) == (NOON, (NOON + 300,), 4, 0)
    assert (dropped.due, dropped.waiting, dropped.merged, dropped.dropped) == (NOON, (), 0, 5)


def test_of_many_runs_fifty_are_named() -> None:
    """What is shown of a job with a hundred runs is bounded."""
    world = World(workers=100)
    tasks = [f"t{number}" for number in range(100)]
    world.ends.update({signature: Ends(seconds=100) for signature in tasks})
    world.job("a", lambda: tasks)
    world.run(until=10)
    assert world.explain("a").running == tuple(tasks[:50])


def test_a_job_that_waits_for_its_secret_says_when_that_is_fetched_again() -> None:
    """A person who waits with it knows until when."""
    world = World()
    world.details["a"] = [JobHeldUp("a", "sealed")] * 9
    world.job("a", list)
    world.run(until=20)
    next_ask = world.explain("a").next_ask
    assert next_ask is not None
    told = len(world.job_reports)
    world.run(until=next_ask - NOON + 0.001)
    assert [at for at, _, _, _ in world.job_reports[told:]] == [pytest.approx(next_ask - NOON)]


def test_explaining_changes_nothing() -> None:
    """A history goes the same way whether a person looks at it or not."""

    def history(*, is_looked_at: bool) -> list[float]:
        world = World(workers=2, limits={"api": Limit(rate=Rate(2, 30))})
        world.ends.update(x=Ends(fails=3, seconds=1), y=Ends(seconds=5))
        world.job("a", lambda: ["x", "y", Needs("z", (("api", 1),))], check_interval=3)
        for until in range(200):
            world.run(until=until)
            if is_looked_at:
                world.explain("a")
        return [start.at for start in world.starts]

    assert history(is_looked_at=True) == history(is_looked_at=False)
