"""A meter: what a call took, of time and memory."""

from __future__ import annotations

import resource
import time

from ujr_core.pool.wire import Measures

_SHORT = 0.001
"""Seconds of a call whose memory is not looked at, since that takes microseconds, or tens of them."""


class Meter:
    """Measures one call after another.

    Attributes:
        most_memory: bytes that the process may keep between calls; None = any.
        now: ``time.perf_counter()`` at the end of the last call.
    """

    def __init__(self) -> None:
        self.most_memory: int | None = None
        # A process begins with the peak of the one that started it, not with its own; see `_look_at_peak`.
        self._inherited = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self._known_peak = _high_water()
        self.began = self._cpu = self.now = 0.0

    def begin(self) -> None:
        """Begin to measure."""
        self._cpu = time.process_time()
        self.began = time.perf_counter()

    def end(self) -> Measures:
        """Return what was spent since `begin`."""
        self.now = time.perf_counter()
        duration = self.now - self.began
        if duration > _SHORT:
            self._look_at_peak()
        return Measures(duration, time.process_time() - self._cpu, self._known_peak)

    def is_worn(self) -> bool:
        """Tell whether the process has grown too large to be kept."""
        return self.most_memory is not None and _resident() > self.most_memory

    def _look_at_peak(self) -> None:
        kibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if kibibytes > self._inherited:
            self._known_peak = int(kibibytes * 1024)
        else:
            self._known_peak = _high_water() or kibibytes * 1024


def _high_water() -> int:
    try:
        with open("/proc/self/status", "rb") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith(b"VmHWM"))
    except (OSError, StopIteration):  # no /proc, or no descriptor left
        return 0


def _resident() -> int:
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[1]) * resource.getpagesize()
    except OSError:  # no /proc, or no descriptor left
        return 0
