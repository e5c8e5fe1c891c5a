"""How a runner is: `Overview` answers whoever asks, `Dump` writes it into the log."""

from __future__ import annotations

from ujr_core.overview.dump import Dump
from ujr_core.overview.whole import MOST_RUNS, PAGE, Overview

__all__ = ["MOST_RUNS", "PAGE", "Dump", "Overview"]
