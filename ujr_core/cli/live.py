"""The live view: asks a runner through its socket every second, and draws what it answers."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from ujr_core.cli.canvas import PATIENCE, PAUSE, Above, Canvas
from ujr_core.errors import StateError

if TYPE_CHECKING:
    from rich.text import Text

    from ujr_core.control.wire import Answer

INTERVAL = 1.0
"""Seconds between two questions."""

_SOON = 0.1
"""Seconds after which a runner that has not answered yet, since it is starting, is asked again."""


@attrs.frozen
class Latest:
    """What a runner answered last.

    Args:
        answer: to ``status``.
        at: monotonic seconds, when it came.
    """

    answer: Answer
    at: float


class LiveView:
    """Draws on a canvas, on threads of its own, what a runner answers.

    Args:
        canvas: where it is drawn.
        ask: returns the answer to ``status``, None if there is none yet, or raises `StateError`.
        share: of the terminal's height that the picture takes at most.
    """

    def __init__(self, canvas: Canvas, ask: Callable[[], Answer | None], *, share: float = 1.0) -> None:
        self._canvas, self._ask, self._share = canvas, ask, share
        self._latest: Latest | None = None
        self._news = canvas.wake
        self._stopped = threading.Event()
        self.ended = threading.Event()
        """Set when the runner that answered has ended."""
        self._threads = [
            threading.Thread(target=self._guard, args=(work,), name=f"ujr-view-{name}", daemon=True)
            for name, work in (("ask", self._keep_asking), ("draw", self._keep_drawing))
        ]

    def start(self) -> None:
        """Begin to ask and to draw."""
        for thread in self._threads:
            thread.start()

    def stop(self, *, is_kept: bool) -> None:
        """Draw no more; whoever calls waits for a terminal that takes nothing, but not for long.

        Args:
            is_kept: leave the last picture on the screen.
        """
        self._stopped.set()
        self._news.set()
        self._threads[1].join(PATIENCE)
        self._canvas.close(is_kept=is_kept)

    def _keep_asking(self) -> None:
        while not self._stopped.wait(_SOON if self._latest is None else INTERVAL):
            try:
                answer = self._ask()
            except StateError as error:
                if error.code == "not-running" and self._latest is not None:
                    self.ended.set()
                    return
                continue
            if answer is not None:
                self._latest = Latest(answer, time.monotonic())
                self._news.set()

    def _keep_drawing(self) -> None:
        while not self._stopped.wait(PAUSE):
            self._news.wait(INTERVAL)  # without news, too: what runs has run longer
            self._news.clear()
            self._draw()

    def _guard(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001  # our bug; the runner and its log go on without a picture
            from ujr_core.foreign import one_line, printable

            self._canvas.close(is_kept=False)
            self._canvas.say(f"the live view has ended: this is a bug of UJR: {printable(one_line(error))}\n")
            self.ended.set()

    def _draw(self) -> None:
        if (latest := self._latest) is None:
            return
        from ujr_core.cli.view import picture

        columns, lines = self._canvas.size()
        height = max(min(3, lines - 1), int((lines - 1) * self._share), 1)
        age = time.monotonic() - latest.at
        self._canvas.draw(painted(picture(latest.answer, age=age, width=max(1, columns - 1), height=height)))


def painted(lines: Sequence[Text]) -> list[str]:
    """Return lines as a terminal takes them, in as many colours as this one has."""
    import io

    from rich.console import Console
    from rich.text import Text

    # As wide as it takes: the lines have their width already.
    console = Console(file=io.StringIO(), force_terminal=True, width=10_000, highlight=False, legacy_windows=False)
    with console.capture() as captured:
        console.print(Text("\n").join(lines), end="", soft_wrap=True)
    return captured.get().split("\n")


def is_drawable() -> bool:
    """Tell whether stdout and stderr are one terminal on which one can draw."""
    streams = (sys.stdout, sys.stderr)
    if os.environ.get("TERM", "dumb") == "dumb":
        return False
    with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, or replaced by something without a file
        is_terminal = all(stream.isatty() for stream in streams)
        return is_terminal and len({os.fstat(stream.fileno()).st_rdev for stream in streams}) == 1
    return False


@contextlib.contextmanager
def shared_terminal() -> Iterator[Canvas]:
    """Have all that is written to stdout and stderr come above a picture, for as long as the context lasts."""
    canvas = Canvas(sys.stderr.fileno(), sys.stderr.encoding)
    before = sys.stdout, sys.stderr
    above = [Above(canvas, stream) for stream in before]
    sys.stdout, sys.stderr = above
    try:
        yield canvas
    finally:
        sys.stdout, sys.stderr = before
        canvas.close(is_kept=False)
        for stream in above:
            stream.finish()


@contextlib.contextmanager
def own_view(canvas: Canvas, folder: Path) -> Iterator[None]:
    """Show the runner of this very process, which is asked as any other, for as long as the context lasts.

    Args:
        canvas: where it is drawn.
        folder: of its state.
    """
    view = LiveView(canvas, lambda: _own_answer(folder), share=0.6)
    view.start()
    try:
        yield
    finally:
        view.stop(is_kept=False)


def _own_answer(folder: Path) -> Answer | None:
    answer = asked(folder)
    # Another runner may have the folder, and this one is about to be refused.
    return answer if answer["runner"]["pid"] == os.getpid() else None


def asked(folder: Path) -> Answer:
    """Return what the runner of a state folder answers to ``status``.

    Raises:
        StateError: as `ujr_core.control.client.ask` does.
    """
    from ujr_core.control.client import ask
    from ujr_core.control.wire import Request

    return ask(folder, Request("status"))
