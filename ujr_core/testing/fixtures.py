"""The fixtures of ``pytest_plugins = ["ujr_core.testing"]``."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ujr_core.testing import plugins, running
from ujr_core.testing.clock import FakeClock
from ujr_core.testing.plugins import Plugins
from ujr_core.testing.recorder import Recorder
from ujr_core.testing.running import Ran


@pytest.fixture
def fake_clock() -> FakeClock:
    """Return a clock that stands still."""
    return FakeClock()


@pytest.fixture
def recorder() -> Recorder:
    """Return a plugin that keeps everything it is told."""
    return Recorder()


@pytest.fixture
def run_jobs(tmp_path: Path) -> Callable[..., Ran]:
    """Return `ujr_core.testing.run_jobs` for a project in ``tmp_path``."""
    return functools.partial(running.run_jobs, folder=tmp_path)


@pytest.fixture
def load_plugins(tmp_path: Path) -> Iterator[Callable[..., Plugins]]:
    """Return `ujr_core.testing.load_plugins` for a project in ``tmp_path``; what it loads is closed at the end."""
    with contextlib.ExitStack() as opened:

        def load(*given: object, **options: Any) -> Plugins:
            return opened.enter_context(plugins.load_plugins(*given, **{"folder": tmp_path, **options}))

        yield load
