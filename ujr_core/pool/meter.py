"""A meter: what a call took, of time and memory."""

from __future__ import annotations

import resource
import time

from ujr_core.pool.wire import Measures


class Meter:
    """Measures one call after another."""

    def __init__(self) -> None:
        # A process begins with the peak of the one that started it, not with its own; see `_peak`.
        self._inherited = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self._known_peak = _high_water()
        self._began = self._cpu = 0.0

    def begin(self) -> None:
        """Begin to measure."""
        self._cpu = time.process_time()
        self._began = time.perf_counter()

    def end(self) -> Measures:
        """Return what was spent since `begin`."""
        duration = time.perf_counter() - self._began
        return Measures(duration, time.process_time() - self._cpu, self._peak(duration))

    def _peak(self, duration: float) -> int:
        kibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if kibibytes > self._inherited:
            return int(kibibytes * 1024)
        if duration > 0.001:
            # Reading the truth takes tens of microseconds, so calls shorter than this go without.
            self._known_peak = _high_water() or kibibytes * 1024
        return self._known_peak


def _high_water() -> int:
    try:
        with open("/proc/self/status", "rb") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith(b"VmHWM"))
    except (OSError, StopIteration):  # no /proc, or no descriptor left
        return 0
