"""What each verb of the control socket answers is what then happens."""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.overseen import Overseen
from tests.world import NOON, Ends, Item, World
from ujr_core import JobDone, StateError
from ujr_core.control.asked import MOST_COMPARED, Said
from ujr_core.control.due import due_of
from ujr_core.control.verbs import VERBS, obey
from ujr_core.control.wire import Request, answer_line, refusal, request_line, request_of
from ujr_core.scheduler.events import JobAdded, JobHeldUp, JobRefused, JobRemoved, StopRequested
from ujr_core.values import Backoff, JobConfig

DAY = 86_400.0


def obeyed(world: World, verb: str, job: str = "one", **fields: Any) -> str:
    """Have a verb obeyed, and let what comes of it happen; return what was answered."""
    said = obey(Request(verb, job, **fields), Overseen(world.state), world.now)
    for event in said.events:
        world.at(world.now, event)
    world.run(until=world.now)
    return str(said.answer["text"])


def refused(world: World, verb: str, job: str = "one", **fields: Any) -> str:
    """Return why a verb is not obeyed."""
    with pytest.raises(StateError) as caught:
        obey(Request(verb, job, **fields), Overseen(world.state), world.now)
    return str(caught.value)


@pytest.fixture
def world() -> World:
    """Return a world with a clock of its own."""
    return World()


def nothing() -> Iterable[Item]:
    """Answer that nothing is to be done."""
    return []


# Trigger.


def test_a_job_that_is_triggered_is_asked_now(world: World) -> None:
    """Its check_interval makes way."""
    world.job("one", nothing, check_interval=3600.0)
    world.run(until=100.0)
    assert obeyed(world, "trigger") == "is asked now"
    assert world.asks[-1] == (100.0, "one")


@pytest.mark.parametrize("why", ["paused", "held up", "answering", "quarantined"])
def test_a_trigger_says_what_it_waits_for(world: World, why: str) -> None:
    """Whoever triggers what cannot be asked now is told when it will be."""
    if why == "held up":
        world.details["one"] = [JobHeldUp("one", "the vault is sealed")]
        world.job("one", nothing)
    elif why == "answering":
        world.ask_seconds["one"] = 1000.0
        world.job("one", nothing)
    else:
        world.job("one", _raise if why == "quarantined" else nothing, give_up_after=1)
    world.run(until=0.5)
    if why == "paused":
        obeyed(world, "pause")
    asks = len(world.asks)
    assert (
        obeyed(world, "trigger")
        == {
            "paused": "will be asked when it is resumed",
            "held up": "will be asked when its details are there",
            "answering": "will be asked when its open answer has ended",
            "quarantined": "will be asked when its hook, which is quarantined, may run again: ujr retry one",
        }[why]
    )
    assert len(world.asks) == asks


def _raise() -> Iterable[Item]:
    raise LookupError("no world")


def test_a_trigger_between_firings_is_a_firing_due_now(world: World) -> None:
    """Under a schedule it says for which firing the job is asked."""
    world.job("one", nothing, cron="0 6 * * *", timezone="Europe/Berlin")
    world.run(until=10.0)
    assert obeyed(world, "trigger") == "is asked now, about a firing due now"
    assert world.asks == [(10.0, "one")]


def test_a_trigger_while_a_firing_is_unsettled_is_about_that_one(world: World) -> None:
    """It makes no second firing, and the time is shown as the job's own clock shows it."""
    world.job("one", lambda: ["a"], every=3600.0, timezone="Europe/Berlin")
    world.ends["a"] = Ends(fails=99)
    world.run(until=100.0)
    assert obeyed(world, "trigger") == "is asked now, about the firing due 2026-01-05 13:00:00+01:00"
    assert world.dues[-1] == (100.0, "one", NOON)


def test_a_backfill_is_asked_about_and_waits_its_turn(world: World) -> None:
    """The first is asked about now, the second behind it; the same once more is no second one."""
    world.job("one", lambda: ["a"], cron="0 6 * * *", timezone="Europe/Berlin")
    world.ends["a"] = Ends(seconds=50.0)
    world.run(until=1.0)
    assert obeyed(world, "trigger", due="2026-01-04T06:00") == (
        "is asked now, about a firing due 2026-01-04 06:00:00+01:00"
    )
    world.run(until=2.0)
    assert obeyed(world, "trigger", due="2026-01-03T06:00") == (
        "a firing due 2026-01-03 06:00:00+01:00 waits until 1 other before it is settled or at rest"
    )
    assert obeyed(world, "trigger", due="2026-01-04T05:00+00:00") == (
        "the firing due 2026-01-04 06:00:00+01:00 is not settled yet, and will be asked about as it is"
    )
    world.run(until=300.0)
    dues = list(dict.fromkeys(due for _, _, due in world.dues))
    assert dues == [NOON - DAY - 7 * 3600, NOON - 2 * DAY - 7 * 3600]


# Pause and resume.


def test_of_one_run_the_grammar_is_right(world: World) -> None:
    """It goes on, where two go on."""
    world.job("one", lambda: ["a"])
    world.ends["a"] = Ends(seconds=50.0)
    world.run(until=5.0)
    assert obeyed(world, "pause").endswith("; 1 run of it goes on")


def test_a_paused_job_is_left_alone_and_its_runs_go_on(world: World) -> None:
    """The answer counts them; a second pause changes nothing."""
    world.job("one", lambda: ["a", "b"])
    world.ends["a"] = world.ends["b"] = Ends(seconds=50.0)
    world.run(until=5.0)
    assert obeyed(world, "pause") == "is paused: it is not asked until it is resumed; 2 runs of it go on"
    asks = len(world.asks)
    world.run(until=40.0)
    assert len(world.state.runs) == 2
    assert len(world.asks) == asks
    assert obeyed(world, "pause") == "is paused already"


def test_a_resumed_job_is_asked(world: World) -> None:
    """What the answer promises happens; a second resume changes nothing."""
    world.job("one", nothing, check_interval=3600.0)
    world.run(until=5.0)
    obeyed(world, "pause")
    world.run(until=10.0)
    assert obeyed(world, "resume") == "is resumed: it is asked now"
    assert world.asks[-1] == (10.0, "one")
    assert obeyed(world, "resume") == "is not paused"


def test_a_resumed_job_with_a_schedule_waits_for_its_firing(world: World) -> None:
    """It is not asked when nothing is due."""
    world.job("one", nothing, cron="0 6 * * *")
    world.run(until=5.0)
    obeyed(world, "pause")
    assert obeyed(world, "resume") == "is resumed: it is asked when a firing is due"
    assert not world.asks


def test_a_resumed_job_that_is_done_stays_done(world: World) -> None:
    """Nothing is promised that will not come."""
    world.job("one", _done)
    world.run(until=5.0)
    obeyed(world, "pause")
    assert obeyed(world, "resume") == "is resumed: it said that there is nothing more to do"
    assert len(world.asks) == 1


def _done() -> Iterable[Item]:
    raise JobDone


def test_a_resumed_job_is_asked_about_a_firing_that_came_while_it_was_paused(world: World) -> None:
    """The newest is made up at once, and that is said; where missed ones are skipped there is none."""
    world.job("one", nothing, every=60.0)
    world.job("two", nothing, every=60.0, missed="skip")
    world.run(until=10.0)
    obeyed(world, "pause")
    obeyed(world, "pause", "two")
    world.run(until=201.0)
    assert obeyed(world, "resume") == "is resumed: it is asked now"
    assert world.dues[-1] == (201.0, "one", NOON + 180.0)
    assert obeyed(world, "resume", "two") == "is resumed: it is asked when a firing is due"
    assert world.dues[-1] == (201.0, "one", NOON + 180.0)


def test_a_resumed_job_whose_hook_backs_off_waits_for_that(world: World) -> None:
    """It is wanted, and asked no sooner than its hook may be."""
    world.job("one", _raise, backoff=Backoff(first=100.0, max=100.0))
    world.run(until=5.0)
    obeyed(world, "pause")
    assert obeyed(world, "resume") == "is resumed: it is asked when its hook, which raised, has backed off"
    assert len(world.asks) == 1
    obeyed(world, "pause")
    obeyed(world, "trigger")
    assert obeyed(world, "resume") == "is resumed: it is asked now"
    assert len(world.asks) == 2


def test_a_resumed_job_that_was_triggered_is_asked_though_it_is_done(world: World) -> None:
    """What a person asked for meanwhile is not lost, and that is said."""
    world.job("one", _done)
    world.run(until=5.0)
    obeyed(world, "pause")
    obeyed(world, "trigger")
    assert obeyed(world, "resume") == "is resumed: it is asked now"
    assert len(world.asks) == 2


def test_a_resumed_job_that_cannot_start_says_so(world: World) -> None:
    """The reason, and what would have it tried again."""
    world.details["one"] = [JobRefused("one", "there is no such secret")]
    world.job("one", nothing)
    world.run(until=1.0)
    obeyed(world, "pause")
    assert obeyed(world, "resume") == (
        "is resumed: it cannot start: there is no such secret; once that is mended: ujr retry one"
    )


# Retry.


def test_retry_counts_what_may_start_again(world: World) -> None:
    """Quarantined tasks and those that back off are told apart, and run."""
    world.job("one", lambda: ["bad", "slow"], give_up_after=1)
    world.ends["bad"], world.ends["slow"] = Ends(fails=1), Ends(fails=9, kind="deferred", retry_after=500.0)
    world.run(until=5.0)
    assert obeyed(world, "retry") == (
        "1 quarantined task may start again, 1 task that backed off may start again; it is asked now"
    )
    assert sorted(start.signature for start in world.starts if start.at == 5.0) == ["bad", "slow"]


def test_retry_of_one_signature_lifts_that_alone(world: World) -> None:
    """The other one stays quarantined."""
    world.job("one", lambda: ["a", "b"], give_up_after=1)
    world.ends["a"] = world.ends["b"] = Ends(fails=1)
    world.run(until=5.0)
    assert obeyed(world, "retry", signature="a") == "it may start again; it is asked now"
    assert [start.signature for start in world.starts if start.at == 5.0] == ["a"]


def test_retry_of_a_quarantined_hook_has_it_asked(world: World) -> None:
    """The hook runs again at once."""
    world.job("one", _raise, give_up_after=1)
    world.run(until=5.0)
    asks = len(world.asks)
    assert obeyed(world, "retry") == "its hook may run again; it is asked now"
    assert len(world.asks) == asks + 1


def test_retry_with_nothing_due_waits_for_the_next_firing(world: World) -> None:
    """Without anything given up, a scheduled job is not asked between firings."""
    world.job("one", nothing, cron="0 6 * * *")
    world.run(until=5.0)
    assert obeyed(world, "retry") == (
        "nothing of it is quarantined or backing off; it is not asked before its next firing"
    )
    assert not world.asks


@pytest.mark.parametrize("signature", ["bad", "slow", None])
def test_retry_goes_on_with_the_settled_firing_if_it_lifts_a_quarantine(world: World, signature: str | None) -> None:
    """What only backs off gives no firing back, whatever else is quarantined."""
    world.job("one", lambda: ["bad", "slow"] if world.now < 1 else ["bad"], give_up_after=1, every=3600.0)
    world.ends["bad"], world.ends["slow"] = Ends(fails=9), Ends(fails=9, kind="deferred", retry_after=500.0)
    world.run(until=5.0)
    asks = len(world.asks)
    promised = "it is not asked before its next firing" if signature == "slow" else "it is asked now"
    assert obeyed(world, "retry", signature=signature).endswith(f"; {promised}")
    assert len(world.asks) == asks + (promised == "it is asked now")


def test_retry_of_a_job_that_could_not_start_starts_it_again(world: World) -> None:
    """Its details are fetched anew, and then it is asked."""
    world.details["one"] = [JobRefused("one", "there is no such secret")]
    world.job("one", nothing)
    world.run(until=1.0)
    assert obeyed(world, "retry") == "its details are fetched anew, and it starts if nothing is wrong with them"
    assert world.asks == [(1.0, "one")]


def test_retry_of_a_signature_that_is_not_there_names_those_that_are(world: World) -> None:
    """At most ten, the newest first."""
    names = [f"t{number}" for number in range(12)]
    world = World(workers=12)
    world.job("one", lambda: names, give_up_after=1)
    world.ends.update({name: Ends(fails=1) for name in names})
    world.run(until=5.0)
    there = ", ".join(f'"t{number}"' for number in range(11, 1, -1))
    assert refused(world, "retry", signature="tt") == (
        'error[unknown-signature]: of job "one", "tt" is neither quarantined nor backing off\n'
        "  where: ujr retry one\n"
        f"  fix:   there is: {there}"
    )


# Cancel.


def test_cancel_counts_the_runs_and_ends_them(world: World) -> None:
    """Without a schedule what was cancelled waits as long as a backoff may be."""
    world.job("one", lambda: ["a", "b"], grace=5.0)
    world.ends["a"] = world.ends["b"] = Ends(seconds=500.0)
    world.run(until=5.0)
    assert obeyed(world, "cancel") == "2 runs are told to end, and not started again for 5 min"
    assert len(world.kills) == 2


def test_a_run_that_is_told_to_end_is_not_told_again(world: World) -> None:
    """One that takes its time to end is not counted a second time."""
    world.is_deaf = True
    world.job("one", lambda: ["a"], grace=5.0)
    world.ends["a"] = Ends(seconds=500.0)
    world.run(until=5.0)
    obeyed(world, "cancel")
    assert obeyed(world, "cancel") == "what runs of it is told to end already"


def test_cancel_of_one_signature_ends_that_alone(world: World) -> None:
    """Under a schedule it is over for its firing, and the other goes on."""
    world.job("one", lambda: ["a", "b"], every=3600.0)
    world.ends["a"] = world.ends["b"] = Ends(seconds=500.0)
    world.run(until=5.0)
    assert obeyed(world, "cancel", signature="a") == "1 run is told to end, and not started again for this firing"
    assert len(world.kills) == 1


def test_cancel_of_nothing_changes_nothing(world: World) -> None:
    """Where nothing runs it says so; a signature that does not run is refused."""
    world.job("one", nothing)
    world.run(until=5.0)
    assert obeyed(world, "cancel") == "no run of it is going"
    assert refused(world, "cancel", signature="a") == (
        'error[unknown-signature]: of job "one", "a" does not run\n  where: ujr cancel one\n  '
        "fix:   there is none now; ujr explain shows what the job is doing"
    )


def run_labelled(world: World, **labels: str) -> None:
    """Have a job run tasks of these signatures, with these labels."""
    world.job("one", lambda: list(labels))
    world.ends.update(dict.fromkeys(labels, Ends(seconds=500.0)))
    world.run(until=5.0)
    for signature, run in world.state.jobs["one"].running.items():
        run.offer.label = labels[signature]


def test_cancel_takes_the_label_that_the_status_shows(world: World) -> None:
    """One that only one run has is as good as its signature; of two that are the same, a signature goes before."""
    run_labelled(world, a="bergen", bergen="oslo")
    assert obeyed(world, "cancel", signature="oslo") == "1 run is told to end, and not started again for 5 min"
    assert list(world.state.jobs["one"].running) == ["a"]
    world = World()
    run_labelled(world, a="bergen", bergen="oslo")
    obeyed(world, "cancel", signature="bergen")
    assert list(world.state.jobs["one"].running) == ["a"]
    obeyed(world, "cancel", signature="bergen")
    assert not world.state.jobs["one"].running


def test_cancel_of_a_label_that_two_runs_have_ends_neither(world: World) -> None:
    """Which is meant is not guessed; each is named with its signature, as where nothing is called so."""
    run_labelled(world, a="bergen", b="bergen")
    for label, what in (("bergen", '2 runs are called "bergen"'), ("oslo", '"oslo" does not run')):
        assert refused(world, "cancel", signature=label) == (
            f'error[unknown-signature]: of job "one", {what}\n  where: ujr cancel one\n'
            '  fix:   there is: "bergen" (signature "b"), "bergen" (signature "a")'
        )
    assert not world.kills


def test_no_label_forges_a_line_of_a_refusal(world: World) -> None:
    """Nor does what is typed: whatever is in it, each part of the error is one line."""
    run_labelled(world, a="bergen\n  fix:   \x1b[31mrm -r", b="bergen\n  fix:   \x1b[31mrm -r")
    for label in ("bergen\n  fix:   \x1b[31mrm -r", "oslo\nerror"):
        assert len(refused(world, "cancel", signature=label).splitlines()) == 3
        assert "\x1b" not in refused(world, "cancel", signature=label)


# Explain.


def test_explain_comes_with_the_time_and_the_zone(world: World) -> None:
    """What is needed to read its times stands beside it, and nothing is changed."""
    world.job("one", nothing, cron="0 6 * * *", timezone="Europe/Berlin")
    world.run(until=5.0)
    said = obey(Request("explain", "one"), Overseen(world.state), world.now)
    assert isinstance(said, Said)
    assert said.events == ()
    assert (said.answer["now"], said.answer["timezone"]) == (NOON + 5.0, "Europe/Berlin")
    assert said.answer["explanation"]["next_firing"] == NOON + 17 * 3600.0


def test_explain_cuts_signatures_that_are_long(world: World) -> None:
    """A hundred signatures of a megabyte would be an answer that nobody reads."""
    names = [f"{number}" + "x" * 10_000 for number in range(2)]
    world.ends[names[0]] = Ends(seconds=50.0)
    world.job("one", lambda: names)
    world.run(until=5.0)
    explanation = obey(Request("explain", "one"), Overseen(world.state), world.now).answer["explanation"]
    told = [*explanation["running"], *(one["signature"] for one in explanation["last"])]
    assert set(told) == {name[:1000] + "…" for name in names}


# Pauses with an end.


def test_a_pause_with_an_end_ends_by_itself(world: World) -> None:
    """The answer names the end, on the job's own clock."""
    world.job("one", nothing, check_interval=10.0, timezone="Europe/Berlin")
    world.run(until=5.0)
    assert obeyed(world, "pause", duration="1h") == "is paused: it is not asked until 2026-01-05 14:00:05+01:00"
    asks = len(world.asks)
    world.run(until=3604.0)
    assert len(world.asks) == asks
    world.run(until=3605.0)
    assert world.asks[asks:] == [(3605.0, "one")]


def test_a_pause_takes_the_place_of_the_one_before(world: World) -> None:
    """Another end counts, be it sooner or later or none; only the same without an end is none."""
    world.job("one", nothing, check_interval=10.0)
    world.run(until=5.0)
    obeyed(world, "pause", duration="1h")
    assert "not asked until 2026-01-05 12:01:05" in obeyed(world, "pause", duration="60s")
    assert obeyed(world, "pause") == "is paused: it is not asked until it is resumed"
    assert obeyed(world, "pause") == "is paused already"
    asks = len(world.asks)
    world.run(until=7200.0)
    assert len(world.asks) == asks
    obeyed(world, "pause", duration="60s")
    world.run(until=7260.0)
    assert len(world.asks) == asks + 1


@pytest.mark.parametrize(
    "text", ["", "soon", "-1h", "1h30m", "1e9d", "0s", "0", "0.0ms", "36501d", "9" * 400 + "d", "nan", "inf", "1 h 3"]
)
def test_a_pause_that_can_be_none_is_refused(world: World, text: str) -> None:
    """Also one that would be over before it begins; the job goes on."""
    world.job("one", nothing)
    world.run(until=5.0)
    assert refused(world, "pause", duration=text) == (
        f'error[pause-duration]: a pause cannot last "{text[:60]}"\n'
        "  where: ujr pause --for\n"
        '  fix:   write for example "30m" or "1h"; more than 0, at most 36500d'
    )
    assert not world.state.jobs["one"].is_paused


def test_the_longest_pause_is_one(world: World) -> None:
    """A hundred years do not overflow a clock."""
    world.job("one", nothing)
    world.run(until=5.0)
    assert "until 2125-" in obeyed(world, "pause", duration="36500d")


# Stop and reload.


def test_a_stop_waits_for_what_runs(world: World) -> None:
    """Nothing more is started; a second one changes nothing."""
    world.job("one", lambda: ["a", "b"])
    world.ends["a"] = world.ends["b"] = Ends(seconds=10.0)
    world.run(until=5.0)
    assert obeyed(world, "stop", "") == ("the runner stops: it starts nothing more, and waits for 2 runs, at most 25 s")
    assert obeyed(world, "stop", "") == "the runner is stopping already, and waits for 2 runs"
    world.run(until=9.0)
    assert not world.kills
    world.run(until=10.0)
    assert world.state.is_finished
    assert world.exit_code == 0


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ({}, "the runner stops: it starts nothing more, and nothing runs"),
        ({"how": "now"}, "the runner stops now: nothing runs"),
    ],
)
def test_a_stop_of_a_runner_that_rests_says_so(world: World, how: dict[str, str], text: str) -> None:
    """It speaks of no runs, and of no time."""
    world.job("one", nothing)
    world.run(until=5.0)
    assert obeyed(world, "stop", "", **how) == text


@pytest.mark.parametrize("is_stopping", [False, True])
def test_a_stop_now_kills_what_runs(world: World, is_stopping: bool) -> None:
    """Whether the runner was stopping already, or not."""
    world.job("one", lambda: ["a"])
    world.ends["a"] = Ends(seconds=500.0)
    world.run(until=5.0)
    if is_stopping:
        obeyed(world, "stop", "")
        assert not world.kills
    assert obeyed(world, "stop", "", how="now") == "the runner stops now: 1 run is killed"
    assert world.kills
    world.run(until=6.0)
    assert world.state.is_finished


def test_a_stop_that_is_neither_is_refused(world: World) -> None:
    """The runner goes on."""
    assert refused(world, "stop", "", how="later") == (
        'error[control-request]: "how" of a stop is "now", and not "later"\n'
        "  where: control socket\n"
        '  fix:   leave "how" out to let runs end'
    )
    assert world.state.stop is None


def test_a_runner_that_stops_reads_nothing_anew(world: World) -> None:
    """What it would put in force would never run."""
    world.job("one", lambda: ["a"])
    world.ends["a"] = Ends(seconds=500.0)
    world.run(until=5.0)
    obeyed(world, "stop", "")
    assert refused(world, "reload", "").startswith("error[runner-stopping]: ")


def test_a_job_that_is_added_after_a_stop_is_not_there(world: World) -> None:
    """A reload that was under way when the runner was stopped starts nothing (promise 7)."""
    world.job("one", lambda: ["a"])
    world.ends["a"] = Ends(seconds=10.0)
    world.run(until=5.0)
    obeyed(world, "stop", "")
    world.job("two", lambda: ["b"], at=6.0)
    world.change(6.0, "one", params={"other": 1})
    world.run(until=20.0)
    assert world.started() == ["a"]
    assert "two" not in world.state.jobs
    assert world.state.is_finished


# Whatever is sent.

NAMES = st.sampled_from(["one", "two", "none", "", "\0", "x" * 1000])
TEXTS = (
    st.none() | st.sampled_from(["a", "bad", "1h", "0s", "now", "later", "2026-01-05T11:00", ""]) | st.text(max_size=9)
)
REQUESTS = st.builds(
    Request, st.sampled_from(list(VERBS)), NAMES | st.just(""), TEXTS, TEXTS, TEXTS, TEXTS, TEXTS
)  # fmt: skip


def taken(request: Request) -> Request:
    """Return a request with the fields that its verb takes, and none else, so that it is not always refused."""
    takes = VERBS[request.verb].takes
    return Request(request.verb, **{name: getattr(request, name) for name in sorted(takes)})


@given(requests=st.lists(REQUESTS.map(taken) | REQUESTS, max_size=4))
def test_no_request_raises_or_changes_anything_by_itself(requests: list[Request]) -> None:
    """What a request does, it does by its events alone; and what comes of those, the scheduler can take."""
    world = World()
    world.job("one", lambda: ["a", "bad"], give_up_after=1)
    world.job("two", lambda: ["a"], every=60.0)
    world.ends["a"], world.ends["bad"] = Ends(seconds=50.0), Ends(fails=9)
    world.run(until=5.0)
    for request in requests:
        before = repr(world.state)
        said = answered(request, world)
        assert repr(world.state) == before
        for event in said.events:
            world.at(world.now, event)
        world.run(until=world.now)
    world.run(until=7.0)


def answered(request: Request, world: World) -> Said:
    """Return what came of a request; a refusal if it is refused."""
    try:
        said = obey(request, Overseen(world.state), world.now)
    except StateError as error:
        said = Said(refusal(error))
    told = json.loads(answer_line(said.answer))
    assert said.later is not None or told["ok"] or all(told["error"].values())
    return said


# What is refused.


def test_an_unknown_job_is_told_with_one_that_is_near(world: World) -> None:
    """A slip of the pen has its fix."""
    world.job("stations", nothing)
    world.run(until=1.0)
    assert refused(world, "pause", "station") == (
        'error[config-unknown-job]: the runner has no job "station"\n'
        "  where: ujr pause\n"
        '  fix:   did you mean "stations"?'
    )
    assert refused(world, "pause", "zzz").endswith("fix:   ujr list shows the jobs there are, and which run here")


def test_an_unknown_job_is_compared_with_no_more_than_takes_a_moment(world: World) -> None:
    """Beside ten thousand jobs a slip of the pen would keep the loop for a second."""
    for number in range(MOST_COMPARED):
        world.job(f"early-{number}", nothing)
    world.job("late", nothing)
    world.run(until=1.0)
    assert 'did you mean "early-499"?' in refused(world, "pause", "erly-499")
    assert "did you mean" not in refused(world, "pause", "lat")


def test_what_is_empty_is_no_less_than_what_is_wrong(world: World) -> None:
    """An empty variable of a script does not cancel all runs, and does not make now of a time."""
    world.job("one", lambda: ["a"], every=60)
    world.ends["a"] = Ends(seconds=500.0)
    world.run(until=1.0)
    for request in (Request("cancel", "one", signature=""), Request("trigger", "one", due="")):
        with pytest.raises(StateError) as caught:
            obey(request_of(request_line(request)), Overseen(world.state), world.now)
        assert '""' in caught.value.what


def test_no_job_is_none(world: World) -> None:
    """A variable of a script that is empty is told as that, and in the words of the command line."""
    world.job("one", nothing)
    world.run(until=1.0)
    assert refused(world, "explain", "") == (
        "error[config-unknown-job]: no job is named\n"
        "  where: ujr explain\n"
        "  fix:   ujr list shows the jobs there are, and which run here"
    )


def test_an_unknown_verb_is_told_with_one_that_is_near(world: World) -> None:
    """So is one."""
    assert refused(world, "trigerr") == (
        'error[control-unknown-verb]: there is no verb "trigerr"\n'
        "  where: control socket\n"
        '  fix:   did you mean "trigger"?'
    )
    verbs = "the verbs are: status, list, show, explain, trigger, pause, resume, retry, cancel, reload, stop, wait"
    assert verbs in refused(world, "x")


def test_a_name_that_no_job_can_have_is_refused_at_once(world: World) -> None:
    """To normalise 64 KiB of marks takes seconds, for which the loop would do nothing else."""
    world.job("one", nothing)
    world.run(until=1.0)
    began = time.thread_time()  # of the processor, which no other test takes from it
    assert "the runner has no job" in refused(world, "explain", "a" + "\u0301\u0323" * 15_900)
    assert time.thread_time() - began < 0.5


def test_a_field_that_a_verb_does_not_take_is_refused(world: World) -> None:
    """What would have no effect is not taken in silence."""
    world.job("one", nothing)
    world.run(until=1.0)
    assert '"pause" takes no "signature"' in refused(world, "pause", signature="a")
    assert '"retry" takes no "due"' in refused(world, "retry", due="2026-01-01")


@pytest.mark.parametrize("verb", ["trigger", "pause", "resume", "retry", "cancel"])
def test_a_runner_that_stops_takes_no_orders(world: World, verb: str) -> None:
    """What would be ignored is refused, and explain still explains."""
    world.job("one", lambda: ["a"])
    world.ends["a"] = Ends(seconds=500.0)
    world.run(until=1.0)
    world.at(1.0, StopRequested())
    world.run(until=2.0)
    assert refused(world, verb) == (
        "error[runner-stopping]: the runner is stopping, and takes no orders but to end\n"
        f"  where: ujr {verb}\n"
        "  fix:   wait for its end, then: ujr run"
    )
    assert obey(Request("explain", "one"), Overseen(world.state), world.now).answer["ok"]


@pytest.mark.parametrize("verb", ["trigger", "pause", "resume", "retry", "cancel"])
def test_a_job_that_was_removed_takes_no_orders(world: World, verb: str) -> None:
    """Its last runs go on, and that is all there is of it."""
    world.job("one", lambda: ["a"], on_stop="finish")
    world.ends["a"] = Ends(seconds=500.0)
    world.run(until=1.0)
    world.at(1.0, JobRemoved("one"))
    world.run(until=2.0)
    assert refused(world, verb) == (
        'error[job-not-running]: job "one" is no longer configured, and only its runs go on\n'
        f"  where: ujr {verb}\n"
        "  fix:   they end of themselves, or with the runner"
    )


def test_a_job_that_could_not_start_is_not_triggered(world: World) -> None:
    """The reason stands in the refusal, and what would have it tried again."""
    world.details["one"] = [JobRefused("one", "there is no such secret")]
    world.job("one", nothing)
    world.run(until=1.0)
    assert refused(world, "trigger") == (
        'error[job-not-running]: job "one" cannot start: there is no such secret\n'
        "  where: ujr trigger\n"
        "  fix:   mend that, then: ujr retry one"
    )


def test_a_due_without_a_schedule_is_refused(world: World) -> None:
    """Nothing of such a job is due at any time."""
    world.job("one", nothing)
    world.run(until=1.0)
    assert refused(world, "trigger", due="2026-01-01") == (
        'error[trigger-due]: job "one" has no schedule, so no firing of it is due\n'
        "  where: ujr trigger --due\n"
        "  fix:   leave --due out, or give the job every, cron or at"
    )


# The time of a trigger.

BERLIN = JobConfig("one", "one", cron="0 6 * * *", timezone="Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-01-01T00:00", "2025-12-31T23:00"),
        ("2026-01-01T06:00", "2026-01-01T05:00"),
        ("2026-01-01 06:00:00.5", "2026-01-01T05:00:00.5"),
        ("2026-01-01T06:00Z", "2026-01-01T06:00"),
        ("2026-01-01T06:00-05:00", "2026-01-01T11:00"),
        ("2025-10-26T02:30", "2025-10-26T00:30"),  # shown twice: the first
        ("2025-03-30T02:30", "2025-03-30T01:00"),  # never shown: right after the gap
    ],
)
def test_a_time_is_read_in_the_zone_of_the_job(text: str, utc: str) -> None:
    """Without an offset it is what the job's own clock shows."""
    expected = datetime.datetime.fromisoformat(utc).replace(tzinfo=datetime.UTC).timestamp()
    assert due_of(text, BERLIN, NOON) == expected


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("tomorrow", '"tomorrow" is no time'),
        ("", '"" is no time'),
        ("2026-02-30", '"2026-02-30" is no time'),
        ("2026-01-05T13:00:01", '"2026-01-05T13:00:01" has not come yet'),
        ("9999-12-31T23:59+00:00", '"9999-12-31T23:59+00:00" has not come yet'),
        ("0001-01-01T00:00+14:00", '"0001-01-01T00:00+14:00" is before 1970'),
        ("0001-01-01T00:00", '"0001-01-01T00:00" is no time'),
        ("2026-01-01", '"2026-01-01" is no time'),  # "at" takes no date alone either
    ],
)
def test_a_time_that_is_none_or_has_not_come_is_refused(text: str, what: str) -> None:
    """The fix says how it is written."""
    with pytest.raises(StateError) as caught:
        due_of(text, BERLIN, NOON)
    assert caught.value.what == what
    assert caught.value.fix


def test_a_job_has_its_name_in_any_form(world: World) -> None:
    """A name that looks the same is the same."""
    world.at(0.0, JobAdded(JobConfig("caf\u00e9", "one")))
    world.run(until=0.0)
    assert obey(Request("explain", "cafe\u0301"), Overseen(world.state), 0.0).answer["ok"]
