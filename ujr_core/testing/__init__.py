"""What plugin authors test with: exactly these plugins, a fake clock, tasks in this process, and contracts.

``pytest_plugins = ["ujr_core.testing"]`` in a ``conftest.py`` gives the fixtures; everything else is imported from
here. pytest and hypothesis are needed only by what uses them: ``pip install "ujr-core[testing]"`` brings both.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ujr_core.testing import strategies
    from ujr_core.testing.clock import FakeClock
    from ujr_core.testing.contracts.executor import ExecutorContract
    from ujr_core.testing.contracts.job import JobContract
    from ujr_core.testing.contracts.reporter import ReporterContract
    from ujr_core.testing.contracts.secrets import SecretProviderContract
    from ujr_core.testing.contracts.source import ConfigSourceContract
    from ujr_core.testing.executor import InlineExecutor
    from ujr_core.testing.makers import make_job, make_job_config, make_node, make_run, make_start
    from ujr_core.testing.plugins import Plugins, load_plugins
    from ujr_core.testing.recorder import Recorder
    from ujr_core.testing.running import Ran, run_jobs

pytest_plugins = ("ujr_core.testing.fixtures",)

_HOMES = {
    "clock": ("FakeClock",),
    "contracts.executor": ("ExecutorContract",),
    "contracts.job": ("JobContract",),
    "contracts.reporter": ("ReporterContract",),
    "contracts.secrets": ("SecretProviderContract",),
    "contracts.source": ("ConfigSourceContract",),
    "executor": ("InlineExecutor",),
    "makers": ("make_job", "make_job_config", "make_node", "make_run", "make_start"),
    "plugins": ("Plugins", "load_plugins"),
    "recorder": ("Recorder",),
    "running": ("Ran", "run_jobs"),
    "strategies": ("strategies",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "ConfigSourceContract",
    "ExecutorContract",
    "FakeClock",
    "InlineExecutor",
    "JobContract",
    "Plugins",
    "Ran",
    "Recorder",
    "ReporterContract",
    "SecretProviderContract",
    "load_plugins",
    "make_job",
    "make_job_config",
    "make_node",
    "make_run",
    "make_start",
    "run_jobs",
    "strategies",
]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'ujr_core.testing' has no attribute {name!r}")
    module = importlib.import_module(f"ujr_core.testing.{home}")
    value = module if name == home else getattr(module, name)
    globals()[name] = value
    return value
