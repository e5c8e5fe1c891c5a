"""What reporters are told of a call, made of what was told by whoever called."""

from __future__ import annotations

from ujr_core.pool.wire import Account, Measures
from ujr_core.values import Failure, Result

UNMEASURED = Measures(0.0, 0.0, 0)


def outcome_of(account: Account, output: str, measures: Measures = UNMEASURED) -> Result | Failure:
    """Return what came of a call.

    Args:
        account: of the call.
        output: that was gathered.
        measures: that were taken; a peak of 0 was not.
    """
    duration, cpu_seconds, peak = measures
    if account.returned:
        return Result(account.text, output, duration, cpu_seconds, peak, account.value)
    return Failure(
        "error" if account.retry_after is None else "deferred",
        account.type_name,
        account.text,
        account.traceback,
        account.exit_code,
        output=output,
        duration=duration,
        peak_memory_bytes=peak or None,
    )
