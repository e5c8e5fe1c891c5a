"""The canvas on a terminal of its own: what is drawn, said and left behind."""

from __future__ import annotations

import contextlib
import os
import select
import threading
from collections.abc import Iterator
from typing import IO, cast

import click
import pyte
import pytest

from tests.answers import NOW, an_answer, failure_of, noted, runs_of
from ujr_core.cli.canvas import Above, Canvas
from ujr_core.cli.live import painted
from ujr_core.cli.view import picture

NAMES = (
    "stations-north",
    "mail-😀-αβγ",
    "שלום-עולם",
    "日本の仕事",
    "a-very-long-name-that-nobody-should-choose",
    "e\u0301tude",
)


class Screen:
    """A terminal of some size that has a canvas.

    Args:
        columns: its width.
        lines: its height.
        encoding: of the canvas.
    """

    def __init__(self, columns: int, lines: int, encoding: str) -> None:
        self.master, self.slave = os.openpty()
        os.set_blocking(self.master, False)
        self.canvas = Canvas(self.slave, encoding)
        self._screen = pyte.HistoryScreen(columns, lines, history=1000)
        self._stream = pyte.ByteStream(self._screen)
        self.sent = b""

    def read(self) -> list[str]:
        """Read what was written, and return what stands on the screen, without what is empty at its end."""
        with contextlib.suppress(BlockingIOError):
            while part := os.read(self.master, 65536):
                self.sent += part
                self._stream.feed(part)
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip("\n").split("\n")

    def scrolled(self) -> list[str]:
        """What has left the screen at its top."""
        width = range(self._screen.columns)
        return ["".join(line[column].data for column in width).rstrip() for line in self._screen.history.top]

    def close(self) -> None:
        """Take the terminal away."""
        os.close(self.master)
        os.close(self.slave)


@contextlib.contextmanager
def a_screen(columns: int = 40, lines: int = 10, encoding: str = "utf-8") -> Iterator[Screen]:
    """Make a terminal."""
    with contextlib.closing(Screen(columns, lines, encoding)) as screen:
        yield screen


def without_pause(screen: Screen) -> None:
    """Have the canvas write at once what it would hold back."""
    screen.canvas.draw([*screen.canvas._picture])


@pytest.mark.parametrize(("columns", "lines"), [(40, 5), (40, 24), (80, 24), (200, 60)])
def test_a_picture_stays_at_the_bottom_and_the_log_above_it(columns: int, lines: int) -> None:
    """Whatever the names are like, in whatever size: no line of log is lost, and none of an old picture is left."""
    answer = an_answer(
        running=runs_of([NAMES[number % len(NAMES)] for number in range(50)], count=64),
        jobs=noted(*((name, "failed", "no\x1b[2Jsecret") for name in NAMES)),
        failures=[failure_of(name, "ValueError: 😀" * 30) for name in NAMES],
        lag={"seconds": 2.0, "at": NOW, "text": "numpy"},
    )
    said = [f"line {number} 😀" for number in range(12)]
    with a_screen(columns, lines) as screen:
        for age, line in enumerate(said):
            drawn = picture(answer, age=float(age), width=columns - 1, height=max(3, lines - 1 - age % 3))
            screen.canvas.draw(painted(drawn))
            screen.canvas.say(f"{line}\n")
            without_pause(screen)
            shown = screen.read()
            assert len(shown[-len(drawn) :]) == len(drawn)
            assert shown[-len(drawn)].startswith("── ujr on ")
            assert shown[-len(drawn) - 1].split() == line.split()
        log = [line for line in (*screen.scrolled(), *screen.read()) if line.startswith("line ")]
        assert [line.split() for line in log] == [line.split() for line in said]


def test_a_smaller_picture_leaves_nothing_of_the_last() -> None:
    """Neither at the ends of its lines nor below them."""
    with a_screen() as screen:
        screen.canvas.draw(["a long line", "another long line", "a third"])
        screen.canvas.draw(["short", "two"])
        assert screen.read() == ["short", "two"]


def test_a_canvas_that_is_closed_leaves_the_log_alone() -> None:
    """The picture is taken away, or left above the cursor; what is said afterwards comes at once, and plainly."""
    with a_screen() as screen:
        screen.canvas.say("before\n")
        screen.canvas.draw(["one", "two"])
        assert screen.read() == ["before", "one", "two"]
        screen.canvas.say("held\n")
        screen.canvas.close(is_kept=False)
        screen.canvas.say("after\n")
        assert screen.read() == ["before", "held", "after"]
    with a_screen() as screen:
        screen.canvas.draw(["one", "two"])
        screen.canvas.close(is_kept=True)
        screen.canvas.close(is_kept=False)
        screen.canvas.draw(["three"])
        screen.canvas.say("after\n")
        assert screen.read() == ["one", "two", "after"]


def test_lines_that_come_fast_wait_for_the_next_picture() -> None:
    """A thousand of them cost a few pictures, not a thousand; without a picture none waits."""
    with a_screen() as screen:
        for number in range(20):
            screen.canvas.say(f"early {number}\n")
        assert screen.read()[-1] == "early 19"
        assert b"\x1b" not in screen.sent
        screen.canvas.draw(["picture"])
        for number in range(1000):
            screen.canvas.say(f"late {number}\n")
        assert screen.canvas.wake.is_set()
        without_pause(screen)
        assert screen.read()[-2:] == ["late 999", "picture"]
        assert screen.sent.count(b"picture") < 10


def test_a_terminal_that_is_gone_is_no_error() -> None:
    """What is written is lost, and nobody is stopped."""
    screen = Screen(40, 10, "utf-8")
    os.close(screen.master)
    screen.canvas.draw(["one"])
    screen.canvas.say("lost\n")
    assert screen.canvas.is_gone
    screen.canvas.close(is_kept=False)
    os.close(screen.slave)


def test_the_end_does_not_wait_for_a_terminal_that_takes_nothing() -> None:
    """Another thread may be stuck in the midst of a line; whoever ends goes on after a second."""
    with a_screen() as screen:
        stuck = threading.Thread(target=screen.canvas.say, args=("x" * 100_000 + "\n",), daemon=True)
        stuck.start()
        assert select.select([screen.master], [], [], 30)[0]
        screen.canvas.close(is_kept=False)
        while stuck.is_alive():
            screen.read()


def test_an_encoding_without_lines_and_dots_is_no_obstacle() -> None:
    """A picture has question marks instead, one for each; text of the log is escaped, as it is without a picture."""
    with a_screen(encoding="latin-1") as screen:
        screen.canvas.draw(["── é …"])
        screen.canvas.say("日\n")
        without_pause(screen)
        screen.read()
    assert b"?? \xe9 ?" in screen.sent
    assert b"\\u65e5" in screen.sent


def test_what_stands_for_a_stream_is_one() -> None:
    """Whole lines are shown at once, others when they end; it has the encoding of the stream, and refuses bytes."""
    with a_screen() as screen, open(os.dup(screen.slave), "w", encoding="utf-8") as stream:
        above = Above(screen.canvas, stream)
        assert above.write("one\ntw") == 6
        assert screen.read() == ["one"]
        above.write("o\n")
        print("three", file=above)
        click.echo("four", file=cast("IO[str]", above))
        above.write("five")
        with pytest.raises(TypeError):
            above.write(b"six")  # type: ignore[arg-type]  # as click asks whether text is wanted
        above.finish()
        assert screen.read() == ["one", "two", "three", "four", "five"]
        assert (above.encoding, above.errors, above.isatty()) == ("utf-8", "strict", True)
        assert above.fileno() == stream.fileno()
        assert above.name == stream.name
