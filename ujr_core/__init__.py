"""UJR, the Untitled Job Runner: everything a plugin or a script needs.

Importing this package is cheap and has no side effect: what is heavier than a value is imported when first used.
"""

from __future__ import annotations

import importlib

TYPE_CHECKING = False  # not that of `typing`, which takes a worker longer to import than all the rest
if TYPE_CHECKING:
    from typing import Any

    from ujr_core import hookspecs
    from ujr_core.configuration.document import read_configuration
    from ujr_core.configuration.tomlfile import parse_toml, read_toml
    from ujr_core.currentrun import CurrentRun, current_run
    from ujr_core.durations import Seconds, format_duration
    from ujr_core.errors import (
        ConfigError,
        Faults,
        InternalError,
        PluginError,
        ProviderAuthFailed,
        ProviderMisconfigured,
        ProviderUnavailable,
        SecretDenied,
        SecretError,
        SecretNotFound,
        StateError,
        TaskError,
        UJRError,
        did_you_mean,
    )
    from ujr_core.executoroffer import ExecutorOffer
    from ujr_core.foreign import printable
    from ujr_core.hookspecs import hookimpl, implements
    from ujr_core.localexecutor import CallFuture, LocalExecutor, TaskFailed, WorkerLost
    from ujr_core.naming import import_function
    from ujr_core.redact import scrub
    from ujr_core.runner import Runner
    from ujr_core.secret import Secret, SecretRef, SecretTemplate
    from ujr_core.values import (
        Backoff,
        Failure,
        Job,
        JobConfig,
        JobDone,
        JobState,
        JobTable,
        NextCheck,
        Node,
        Origin,
        Result,
        RetryAfter,
        Start,
        Task,
        TaskRun,
    )

__version__ = "0.1.0"

_HOMES = {
    "hookspecs": ("hookspecs",),
    "currentrun": ("CurrentRun", "current_run"),
    "durations": ("Seconds", "format_duration"),
    "executoroffer": ("ExecutorOffer",),
    "foreign": ("printable",),
    "configuration.document": ("read_configuration",),
    "configuration.tomlfile": ("parse_toml", "read_toml"),
    "errors": (
        "ConfigError", "Faults", "InternalError", "PluginError", "ProviderAuthFailed", "ProviderMisconfigured",
        "ProviderUnavailable", "SecretDenied", "SecretError", "SecretNotFound", "StateError", "TaskError", "UJRError",
        "did_you_mean",
    ),
    "localexecutor": ("CallFuture", "LocalExecutor", "TaskFailed", "WorkerLost"),
    "naming": ("import_function",),
    "redact": ("scrub",),
    "runner": ("Runner",),
    "secret": ("Secret", "SecretRef", "SecretTemplate"),
    "values": (
        "Backoff", "Failure", "Job", "JobConfig", "JobDone", "JobState", "JobTable", "NextCheck", "Node", "Origin",
        "Result", "RetryAfter", "Start", "Task", "TaskRun",
    ),
}  # fmt: skip
_HOMES["hookspecs"] += ("hookimpl", "implements")
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Backoff",
    "CallFuture",
    "ConfigError",
    "CurrentRun",
    "ExecutorOffer",
    "Failure",
    "Faults",
    "InternalError",
    "Job",
    "JobConfig",
    "JobDone",
    "JobState",
    "JobTable",
    "LocalExecutor",
    "NextCheck",
    "Node",
    "Origin",
    "PluginError",
    "ProviderAuthFailed",
    "ProviderMisconfigured",
    "ProviderUnavailable",
    "Result",
    "RetryAfter",
    "Runner",
    "Seconds",
    "Secret",
    "SecretDenied",
    "SecretError",
    "SecretNotFound",
    "SecretRef",
    "SecretTemplate",
    "Start",
    "StateError",
    "Task",
    "TaskError",
    "TaskFailed",
    "TaskRun",
    "UJRError",
    "WorkerLost",
    "current_run",
    "did_you_mean",
    "format_duration",
    "hookimpl",
    "hookspecs",
    "implements",
    "import_function",
    "parse_toml",
    "printable",
    "read_configuration",
    "read_toml",
    "scrub",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'ujr_core' has no attribute {name!r}")
    module = importlib.import_module(f"ujr_core.{home}")
    value = module if name == home else getattr(module, name)
    globals()[name] = value
    return value
