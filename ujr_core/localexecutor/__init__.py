"""`LocalExecutor`: the local pool by itself, behind the face of `concurrent.futures`."""

from ujr_core.localexecutor.executor import LocalExecutor
from ujr_core.localexecutor.failed import TaskFailed, WorkerLost
from ujr_core.localexecutor.future import CallFuture

__all__ = ["CallFuture", "LocalExecutor", "TaskFailed", "WorkerLost"]
