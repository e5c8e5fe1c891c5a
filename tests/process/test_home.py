"""What a task changed of its process, a task of another function does not find."""

from __future__ import annotations

import pathlib

from tests.process.driven import driven_pool


def test_signals_timers_and_limits_are_put_back(tmp_path: pathlib.Path) -> None:
    """With SIGCHLD ignored, say, each command that the next task starts would seem to succeed."""
    with driven_pool(tmp_path, 1) as pool:
        (before,) = pool.values_of([pool.start("signals_and_limits")])
        pool.succeed("spoil")
        assert pool.values_of([pool.start("signals_and_limits")]) == [before]
        assert pool.succeed("pid").value() == pool.succeed("pid").value()  # all in one worker
