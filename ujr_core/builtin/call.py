"""Jobs that are one call of a function: ``function = "module:name"``, with ``args`` and ``kwargs``.

The shortest useful job plugin: it declares what its jobs are given as `Params`, so that ``ujr check`` finds a typo,
and answers one task. With a schedule it runs once at each firing; without one it is done once the call has succeeded,
unless the job is ``continuous``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from ujr_core import Job, JobDone, Task, UJRError, hookimpl, import_function


def _must_be_a_task(_params: object, _field: object, name: str) -> None:
    try:
        Task(import_function(name), signature="check")
    except KeyboardInterrupt:
        raise
    except UJRError as error:
        raise ValueError(f"{error.what}; {error.fix}") from None
    except BaseException as error:  # noqa: BLE001  # importing runs the module, which may raise anything, or exit
        raise ValueError(f'"{name}" cannot be imported: {type(error).__name__}: {error}') from None


@attrs.frozen
class Params:
    """What ``[jobs.<name>.params]`` says.

    Args:
        function: "module:name"; the module is looked for in the folder of the configuration first.
        args: positional arguments.
        kwargs: keyword arguments.
    """

    function: str = attrs.field(validator=_must_be_a_task)
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = attrs.field(factory=dict)


@hookimpl
def get_runnable_tasks(job: Job) -> Iterator[Task]:
    """Answer the call; for this firing, or at all, there is nothing beyond it, unless it is to run for ever."""
    params: Params = job.params
    yield Task(import_function(params.function), params.args, params.kwargs, label=params.function)
    if not job.config.continuous:
        raise JobDone
