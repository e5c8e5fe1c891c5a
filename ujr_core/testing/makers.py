"""Makers: values as a plugin is given them, with everything that a test does not care about filled in."""

from __future__ import annotations

import datetime
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ujr_core.testing.clock import NEW_YEAR
from ujr_core.values import Job, JobConfig, Node, Start, TaskRun


def make_job_config(name: str = "job", *, plugin: str | None = None, **settings: Any) -> JobConfig:
    """Return a job as configured.

    Args:
        name: of the job.
        plugin: default: the name.
        settings: further fields of `JobConfig`, such as ``params``; a secret is a `SecretRef` in them.
    """
    return JobConfig(name, plugin or name, **settings)


def make_job(
    name: str = "job",
    *,
    params: Any = MappingProxyType({}),
    details: Mapping[str, Any] | None = None,
    node: Node | None = None,
    config: JobConfig | None = None,
    due: datetime.datetime | None = None,
) -> Job:
    """Return a job as its plugin is asked with it.

    Args:
        name: of the job.
        params: a mapping, or an instance of the plugin's ``Params``; a secret is a `Secret` in them.
        details: what plugins added; params that are a mapping are among them.
        node: default: `make_node`.
        config: default: `make_job_config` with the params, if they are a mapping.
        due: the firing it is asked for.
    """
    given = dict(params) if isinstance(params, Mapping) else {}
    params = MappingProxyType(given) if isinstance(params, Mapping) else params
    details = MappingProxyType({**given, **(details or {})})
    return Job(name, params, details, node or make_node(), config or make_job_config(name, params=given), due)


def make_node(name: str = "here", **settings: Any) -> Node:
    """Return a node with one processor.

    Args:
        name: of the machine.
        settings: further fields of `Node`.
    """
    return Node(name, **settings)


def make_run(job: str = "job", **fields: Any) -> TaskRun:
    """Return a first attempt at a task, as a reporter is told of it.

    Args:
        job: its name.
        fields: of `TaskRun`.
    """
    defaults = {
        "id": "test-1",
        "task": None,
        "signature": "task",
        "label": "task",
        "function": "module.function",
        "attempt": 1,
        "node": "here",
        "started_at": NEW_YEAR,
    }
    return TaskRun(job=job, **{**defaults, **fields})


def make_start(folder: str | os.PathLike[str], environ: Mapping[str, str] | None = None) -> Start:
    """Return what a config source is told.

    Args:
        folder: of the project; its ``ujr.toml`` is the configuration file, if there is one.
        environ: default: none.
    """
    absolute = Path(folder).absolute()
    path = absolute / "ujr.toml"
    return Start(path if path.exists() else None, absolute, MappingProxyType(dict(environ or {})))
