"""The lag of the loop: when it is noticed, and who is named."""

from __future__ import annotations

import math

import attrs
import pytest

from ujr_core.lag import BEAT, BUSY, MOST_NAMED, PAUSE, Lag, Lateness
from ujr_core.testing import FakeClock
from ujr_core.testing.clock import NEW_YEAR

BEGAN = FakeClock().monotonic()


@attrs.define
class Watched:
    """A loop that is held up as a test says: its lag, what is being called meanwhile, and how long it works itself."""

    clock: FakeClock = attrs.field(factory=FakeClock)
    calls: list[tuple[str, float, float]] = attrs.field(factory=list)
    own_time: float = 0.0
    lag: Lag = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.lag = Lag(self.clock, lambda: self.calls, own_time=lambda: self.own_time)
        self.sleep(0.0)

    def sleep(self, late: float, *, meant: float = 0.5) -> str:
        """Sleep for as long as is meant, and be so many seconds late; return what is said."""
        began = self.clock.monotonic()
        self.clock.advance(meant + late)
        return self.lag.look(began + meant, self.clock.monotonic(), began=began)

    def turn(self, seconds: float, *, own: float) -> str:
        """Be in a turn for some seconds, some of which are its own, and then sleep in time; return what is said."""
        self.clock.advance(seconds)
        self.own_time += own
        return self.sleep(0.0)

    def call(self, name: str, began: float, ended: float = math.inf) -> None:
        """Call a hook so many seconds from now on."""
        now = self.clock.monotonic()
        self.calls.append((name, now + began, now + ended))


@pytest.fixture
def watched() -> Watched:
    """Return a loop that was in time up to now."""
    return Watched()


def test_a_loop_that_is_in_time_says_nothing(watched: Watched) -> None:
    """Nor does one that is some tenths late, whatever is being called."""
    watched.call("slow", 0.0)
    assert watched.sleep(0.9) == ""
    assert watched.lag.last is None


def test_who_was_called_all_the_while_is_named(watched: Watched) -> None:
    """In what is said, and in what status shows, with when and how long; who began later, or ended before, is not."""
    watched.call("culprit", 0.4)
    watched.call("before", 0.0, 0.5)
    watched.call("after", 2.9)
    assert watched.sleep(2.5) == "the loop came 2.5 s late: culprit held the interpreter, or the machine was busy"
    at = NEW_YEAR.timestamp() + watched.clock.monotonic() - BEGAN
    assert watched.lag.last == Lateness(2.5, at, "culprit held the interpreter, or the machine was busy")


def test_who_has_just_returned_is_named(watched: Watched) -> None:
    """Whoever lets go of the interpreter may be quicker than the loop that waits for it."""
    watched.call("culprit", 0.4, 2.99)
    assert watched.sleep(2.5) == "the loop came 2.5 s late: culprit held the interpreter, or the machine was busy"


def test_where_nobody_was_called_nobody_is_blamed(watched: Watched) -> None:
    """A runner that was stopped by a signal is late, too."""
    assert watched.sleep(3600.0) == f"the loop came 1 h late: {BUSY}"


def test_of_many_the_one_that_began_last_is_named_first(watched: Watched) -> None:
    """Those that hang have been there for long; of a reporter nobody knows since when, and it is hardly ever called."""
    for number in range(MOST_NAMED + 3):
        watched.call(f"hangs-{number}", number - 100.0)
    watched.call("reporter", -math.inf)
    watched.call("culprit", 0.4)
    said = watched.sleep(2.5)
    assert said == (
        "the loop came 2.5 s late: reporter or culprit or hangs-7 or hangs-6 or hangs-5 or 5 others "
        "held the interpreter, or the machine was busy"
    )


def test_the_same_is_not_said_again_and_again(watched: Watched) -> None:
    """Another cause is said at once, the same after a while; status always shows the last."""
    watched.call("one", 0.0)
    assert watched.sleep(2.0)
    assert watched.sleep(3.0) == ""
    assert watched.lag.last is not None
    assert watched.lag.last.seconds == 3.0
    watched.calls.clear()
    watched.call("other", 0.0)
    assert "other held" in watched.sleep(2.0)
    assert watched.sleep(2.0) == ""
    watched.clock.advance(PAUSE)
    watched.own_time += PAUSE
    assert "other held" in watched.sleep(2.0)


def test_a_turn_that_is_held_up_is_noticed(watched: Watched) -> None:
    """A hook may take the interpreter as soon as it is called, while the loop is in the middle of something."""
    watched.call("culprit", 0.1)
    assert watched.turn(2.5, own=0.2) == (
        "the loop came 2.3 s late: culprit held the interpreter, or the machine was busy"
    )


def test_what_the_loop_does_itself_is_nobodys_fault(watched: Watched) -> None:
    """Ten thousand jobs that are added at once take their time, and a hook that waits meanwhile has no part in that."""
    watched.call("waits", -5.0)
    assert watched.turn(2.5, own=2.4) == ""
    assert watched.lag.last is None


def test_it_has_the_loop_wake_now_and_then(watched: Watched) -> None:
    """Else a hook that holds the interpreter while nothing is waited for would not be noticed."""
    assert watched.lag.next_wake == watched.clock.monotonic() + BEAT
    watched.sleep(0.0)
    assert watched.lag.next_wake == watched.clock.monotonic() + BEAT
    assert list(watched.lag.flush(watched.lag.next_wake)) == []
