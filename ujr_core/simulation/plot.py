"""The plot: how busy the workers were, and how long tasks waited, over time."""

from __future__ import annotations

import datetime
import importlib.util
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ujr_core.errors import ConfigError
from ujr_core.simulation.figures import Figures, Spans

PARTS = 240
"""So many equal parts of the time have a point each."""

_WHERE = "ujr simulate --plot"


def check_plot(path: Path) -> None:
    """Do nothing if a plot can be drawn.

    Raises:
        ConfigError: matplotlib is not installed, or the folder is not there.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise ConfigError("simulate-plot", "a plot needs matplotlib, which is not installed", _WHERE,
                          "pip install 'ujr-core[plot]'")  # fmt: skip
    if not path.absolute().parent.is_dir():
        raise ConfigError("simulate-plot", f'there is no folder "{path.parent}" for the plot', _WHERE, "make it first")


def draw(figures: Figures, path: Path) -> None:
    """Draw a simulation into a file, whose ending says what it is: .png, .svg, .pdf.

    Raises:
        ConfigError: it cannot be written.
    """
    from matplotlib.figure import Figure  # not pyplot, which looks for a screen

    width = figures.seconds / PARTS
    times = [_when(figures.start + (part + 0.5) * width) for part in range(PARTS)]
    figure = Figure(figsize=(10, 6), layout="constrained")
    above, below = figure.subplots(2, sharex=True)
    _draw_part(above, times, [100 * share for share in busy(figures.spans, figures.workers, width)],
               f"busy of {figures.workers}, %")  # fmt: skip
    _draw_part(below, times, longest(figures.spans, width), "longest wait, s")
    above.set_title(figures.verdict, fontsize="medium", loc="left")
    above.set_ylim(0, 105)
    figure.autofmt_xdate()
    try:
        figure.savefig(path)
    except (OSError, ValueError) as error:  # ValueError: it knows no such ending
        why = getattr(error, "strerror", None) or str(error)
        raise ConfigError("simulate-plot", f"the plot cannot be written: {why}", str(path),
                          'name a file such as "plot.png" in a folder that may be written to') from None  # fmt: skip


def busy(spans: Spans, workers: int, width: float) -> list[float]:
    """Return the share of the workers' time that was run in, for each part of the time.

    Args:
        spans: of all runs.
        workers: runs at once.
        width: seconds of a part.
    """
    shares = [0.0] * PARTS
    for began, ended in zip(spans.began, spans.ended, strict=True):
        for part, seconds in _parts(began, ended, width):
            shares[part] += seconds / (width * workers)
    return shares


def _parts(began: float, ended: float, width: float) -> Iterator[tuple[int, float]]:
    for part in range(_part(began, width), _part(ended, width) + 1):
        yield part, min(ended, (part + 1) * width) - max(began, part * width)


def longest(spans: Spans, width: float) -> list[float]:
    """Return the longest wait of the tasks that started in each part of the time."""
    waits = array("d", [0.0] * PARTS)
    for started, wait in zip(spans.started, spans.waits, strict=True):
        part = _part(started, width)
        waits[part] = max(waits[part], wait)
    return list(waits)


def _part(at: float, width: float) -> int:
    return min(int(at / width), PARTS - 1)


def _draw_part(axes: Any, times: list[datetime.datetime], values: list[float], label: str) -> None:
    axes.fill_between(times, values, step="mid", alpha=0.4)
    axes.set_ylabel(label)
    axes.grid(visible=True, alpha=0.3)


def _when(at: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(at, datetime.UTC).astimezone()
