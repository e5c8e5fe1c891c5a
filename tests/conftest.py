"""Settings and fixtures of the whole suite."""

from __future__ import annotations

import importlib.metadata
import os
import signal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests import newcomer

# Deadlines judge the machine, not the code; shrinking is for the one who mends, and is asked for by name.
_SHARED: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.filter_too_much],
}
_NO_SHRINK = [Phase.explicit, Phase.reuse, Phase.generate]
settings.register_profile("quick", max_examples=200, stateful_step_count=50, phases=_NO_SHRINK, **_SHARED)
settings.register_profile("thorough", max_examples=3_000, stateful_step_count=50, phases=_NO_SHRINK, **_SHARED)
settings.register_profile("shrink", max_examples=2_000, stateful_step_count=50, **_SHARED)
# As under nohup, and in the background of a script; what is started here would inherit it.
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda _number, _frame: None)
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
settings.load_profile(os.environ.get("UJR_HYPOTHESIS", "quick"))


@pytest.fixture(autouse=True)
def without_our_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests of the core find nothing installed but what they install themselves."""
    monkeypatch.setattr(importlib.metadata, "entry_points", newcomer.entry_points)
