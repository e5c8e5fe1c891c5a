"""The simulation: the real scheduler on a virtual clock, with made-up jobs; no plugin is called, and nothing runs."""

from ujr_core.simulation.amount import amount_of
from ujr_core.simulation.driver import simulate
from ujr_core.simulation.figures import Figures, JobFigures, Waiting
from ujr_core.simulation.reading import read_workloads
from ujr_core.simulation.workload import Workload

__all__ = ["Figures", "JobFigures", "Waiting", "Workload", "amount_of", "read_workloads", "simulate"]
