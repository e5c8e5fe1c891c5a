"""The scheduler: pure, so that it can be driven by a fake clock, by hypothesis and by a simulation."""

from ujr_core.scheduler.ending import exit_code
from ujr_core.scheduler.explaining import explain
from ujr_core.scheduler.state import Mode, State
from ujr_core.scheduler.step import step

__all__ = ["Mode", "State", "exit_code", "explain", "step"]
