"""What the runner and a worker write to each other: frames of a length, a kind and a body.

Nothing here unpickles anything: arguments and results pass as opaque bytes.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator

from ujr_core.pool.frames import BrokenFrame, framed

TYPE_CHECKING = False  # see `_Record`
if TYPE_CHECKING:
    from typing import Any

# To a worker.
INIT, FUNCTION, RUN, PRELOAD, NUDGE = 1, 2, 3, 4, 5
# From a worker.
HELLO, BEGUN, ENDED, DONE = 11, 12, 13, 14

ENVELOPE = 1024 * 1024
"""Bytes that are more than all that stands in an ENDED frame beside the value."""
CLAIM = 8
"""Bytes of one claim: the run that a worker may begin next."""
_LONGEST_REST = 36_500 * 86_400.0  # seconds; what RetryAfter takes at most

_FUNCTION = struct.Struct("!I")
_RUN = struct.Struct("!QIiQ")
_RUN_FRAME = struct.Struct("!QBQIiQ")
_BEGUN = struct.Struct("!Q")
# Run, next run, what it was (bits below), exit code, rest, duration, cpu seconds, peak memory, lengths of five texts.
_ENDED = struct.Struct("!QQBqdddQ5I")
# Of a run that returned and printed nothing, as most do: run, next run, duration, cpu seconds, peak memory, length of
# the summary.
_DONE = struct.Struct("!QQddQH")
_DONE_FRAME = struct.Struct("!QBQQddQH")
_RETURNED, _HAS_VALUE, _HAS_EXIT_CODE, _IS_DEFERRED, _HAS_LIMIT, _IS_WORN = 1, 2, 4, 8, 16, 32


class _Record:
    """Equal to another of the same fields; no `NamedTuple`, for a worker's start would wait for `typing`."""

    __slots__: tuple[str, ...] = ()
    __hash__ = None  # type: ignore[assignment]  # as of any class that can be compared

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and all(getattr(self, one) == getattr(other, one) for one in self.__slots__)


class Account(_Record):
    """What a worker tells of a call.

    Args:
        returned: the function returned; else something was raised.
        text: summary of what it returned, or message of what it raised.
        type_name: of the exception, dotted.
        traceback: formatted.
        exit_code: of a SystemExit.
        value: the pickled result; None if it cannot be pickled.
        retry_after: seconds that the task asked to be left alone; None if it was no RetryAfter that was raised.
        limit: name of the limit that is to rest as long.
    """

    __slots__ = ("exit_code", "limit", "retry_after", "returned", "text", "traceback", "type_name", "value")

    def __init__(  # noqa: PLR0917  # as of a tuple
        self,
        returned: bool,  # noqa: FBT001  # the first thing that is asked of it
        text: str,
        type_name: str = "",
        traceback: str = "",
        exit_code: int | None = None,
        value: bytes | None = None,
        retry_after: float | None = None,
        limit: str | None = None,
    ) -> None:
        self.returned, self.text, self.type_name, self.traceback = returned, text, type_name, traceback
        self.exit_code, self.value = exit_code, value
        self.retry_after, self.limit = retry_after, limit


class Measures(_Record):
    """What a call took.

    Args:
        duration: seconds since the run was acknowledged.
        cpu_seconds: of the worker meanwhile, all its threads.
        peak_memory_bytes: highest memory of the worker so far.
    """

    __slots__ = ("cpu_seconds", "duration", "peak_memory_bytes")

    def __init__(self, duration: float, cpu_seconds: float, peak_memory_bytes: int) -> None:
        self.duration = duration
        self.cpu_seconds = cpu_seconds
        self.peak_memory_bytes = peak_memory_bytes

    def __iter__(self) -> Iterator[Any]:
        return iter((self.duration, self.cpu_seconds, self.peak_memory_bytes))


class Ended(_Record):
    """All that an ENDED frame holds.

    Args:
        run_id: the run that ended.
        account: of its call.
        measures: likewise.
        output: the last 64 KiB that it printed.
        next_run: the run that begins now; 0 if none does.
        is_worn: the worker has grown too large, and wants to be replaced.
    """

    __slots__ = ("account", "is_worn", "measures", "next_run", "output", "run_id")

    def __init__(
        self,
        run_id: int,
        account: Account,
        measures: Measures,
        output: str,
        next_run: int = 0,
        *,
        is_worn: bool = False,
    ) -> None:
        self.run_id, self.account, self.measures, self.output = run_id, account, measures, output
        self.next_run, self.is_worn = next_run, is_worn


class Init(_Record):
    """What a new worker is told.

    Args:
        sys_path: where it imports from.
        most_memory: bytes of memory that it may keep between runs; None = any.
    """

    __slots__ = ("most_memory", "sys_path")

    def __init__(self, sys_path: list[str], most_memory: int | None = None) -> None:
        self.sys_path, self.most_memory = sys_path, most_memory


class Run(_Record):
    """What a RUN frame holds.

    Args:
        run_id: as ordered.
        number: of the function.
        slot: of the page of what is in flight; -1 = none.
        memory: bytes of address space that the task may have; 0 = no bound.
        payload: pickled arguments.
    """

    __slots__ = ("memory", "number", "payload", "run_id", "slot")

    def __init__(self, run_id: int, number: int, slot: int, memory: int, payload: bytes | memoryview) -> None:
        self.run_id = run_id
        self.number = number
        self.slot = slot
        self.memory = memory
        self.payload = payload


def encode_init(init: Init) -> bytes:
    """Tell a new worker how to live."""
    # No path holds a NUL; and not as JSON, which takes a worker longer to import than all of this.
    return framed(INIT, os.fsencode("\0".join((str(init.most_memory or ""), *init.sys_path))))


def decode_init(body: bytes | memoryview) -> Init:
    """Return what a new worker is told."""
    most_memory, *sys_path = os.fsdecode(bytes(body)).split("\0")
    return Init(sys_path, int(most_memory) if most_memory else None)


def encode_function(number: int, name: str) -> bytes:
    """Give a function its number for the life of the worker."""
    return framed(FUNCTION, _FUNCTION.pack(number), name.encode())


def decode_function(body: bytes | memoryview) -> tuple[int, str]:
    """Return the number and the name."""
    (number,) = _FUNCTION.unpack_from(body)
    return number, str(body[_FUNCTION.size :], "utf-8")


def encode_preload(name: str) -> bytes:
    """Have a function imported before it is wanted."""
    return framed(PRELOAD, name.encode())


def decode_preload(body: bytes | memoryview) -> str:
    """Return the name."""
    return str(body, "utf-8")


def encode_nudge() -> bytes:
    """Have a worker look for claims once more."""
    return framed(NUDGE)


def encode_run(run_id: int, number: int, payload: bytes, slot: int = -1, memory: int | None = None) -> bytes:
    """Order a run of the function with this number."""
    return _RUN_FRAME.pack(_RUN.size + len(payload), RUN, run_id, number, slot, memory or 0) + payload


def decode_run(body: bytes | memoryview) -> Run:
    """Return what was ordered."""
    run_id, number, slot, memory = _RUN.unpack_from(body)
    return Run(run_id, number, slot, memory, body[_RUN.size :])


def encode_claims(run_ids: Iterable[int]) -> bytes:
    """Name runs that a worker may begin, in this order; each is one read of `CLAIM` bytes."""
    return b"".join(map(_BEGUN.pack, run_ids))


def decode_claims(data: bytes) -> list[int]:
    """Return the runs."""
    return [run_id for (run_id,) in _BEGUN.iter_unpack(data)]


def encode_hello() -> bytes:
    """Say that the worker is ready."""
    return framed(HELLO)


def encode_begun(run_id: int) -> bytes:
    """Acknowledge a run."""
    return framed(BEGUN, _BEGUN.pack(run_id))


def decode_begun(body: bytes | memoryview) -> int:
    """Return the run.

    Raises:
        BrokenFrame: the body has another size.
    """
    if len(body) != _BEGUN.size:
        raise BrokenFrame(f"an acknowledgement of {len(body)} bytes arrived")
    (run_id,) = _BEGUN.unpack(body)
    return int(run_id)


def encode_ended(ended: Ended) -> bytes:
    """Tell what came of a run."""
    account, measures = ended.account, ended.measures
    bits = (
        _RETURNED * account.returned
        | _HAS_VALUE * (account.value is not None)
        | _HAS_EXIT_CODE * (account.exit_code is not None)
        | _IS_DEFERRED * (account.retry_after is not None)
        | _HAS_LIMIT * (account.limit is not None)
        | _IS_WORN * ended.is_worn
    )
    told = (account.text, account.type_name, account.traceback, account.limit or "", ended.output)
    texts = [_encode_text(text) for text in told]
    head = _ENDED.pack(
        ended.run_id,
        ended.next_run,
        bits,
        account.exit_code or 0,
        account.retry_after or 0.0,
        measures.duration,
        measures.cpu_seconds,
        measures.peak_memory_bytes,
        *map(len, texts),
    )
    return framed(ENDED, head, *texts, account.value or b"")


def encode_done(run_id: int, next_run: int, measures: Measures, summary: bytes, size: int) -> bytes:
    """Tell of a run that returned, and printed nothing; what it returned follows.

    Args:
        run_id: of it.
        next_run: the run that begins now; 0 if none does.
        measures: of its call.
        summary: of what it returned, UTF-8, shorter than 64 KiB.
        size: bytes of what it returned, pickled.
    """
    length = _DONE.size + len(summary) + size
    duration, cpu, peak = measures.duration, measures.cpu_seconds, measures.peak_memory_bytes
    return _DONE_FRAME.pack(length, DONE, run_id, next_run, duration, cpu, peak, len(summary)) + summary


def decode_done(body: bytes | memoryview) -> tuple[int, int, float, float, int, str, bytes]:
    """Return run, next run, duration, cpu seconds, peak memory, summary and pickled value.

    Raises:
        BrokenFrame: the body is no such message.
    """
    try:
        run_id, next_run, duration, cpu, peak, length = _DONE.unpack_from(body)
        summary = str(body[_DONE.size : _DONE.size + length], "utf-8")
    except (struct.error, UnicodeDecodeError) as error:
        raise BrokenFrame(f"an outcome that cannot be read arrived: {error}") from error
    start = _DONE.size + length
    if start > len(body):
        raise BrokenFrame("an outcome that is shorter than it says arrived")
    if not (0.0 <= duration <= _LONGEST_REST and 0.0 <= cpu <= _LONGEST_REST):
        raise _no_times(duration, cpu)
    value = body[start:]
    return run_id, next_run, duration, cpu, peak, summary, value if type(value) is bytes else bytes(value)


def decode_ended(body: bytes | memoryview) -> Ended:
    """Return what came of a run.

    Raises:
        BrokenFrame: the body is no such message.
    """
    try:
        run_id, next_run, bits, exit_code, rest, duration, cpu, peak, *lengths = _ENDED.unpack_from(body)
        start = _ENDED.size + sum(lengths)
        text, type_name, traceback, limit, output = _texts(body, lengths)
    except (struct.error, UnicodeDecodeError) as error:
        raise BrokenFrame(f"an outcome that cannot be read arrived: {error}") from error
    if len(body) < start:
        raise BrokenFrame("an outcome that is shorter than it says arrived")
    if not 0 <= rest <= _LONGEST_REST:
        raise BrokenFrame(f"a task that is to rest for {rest} s arrived")
    if not (0.0 <= duration <= _LONGEST_REST and 0.0 <= cpu <= _LONGEST_REST):
        raise _no_times(duration, cpu)
    account = Account(
        bool(bits & _RETURNED),
        text,
        type_name,
        traceback,
        exit_code if bits & _HAS_EXIT_CODE else None,
        bytes(body[start:]) if bits & _HAS_VALUE else None,
        rest if bits & _IS_DEFERRED else None,
        limit if bits & _HAS_LIMIT else None,
    )
    return Ended(run_id, account, Measures(duration, cpu, peak), output, next_run, is_worn=bool(bits & _IS_WORN))


def _no_times(duration: float, cpu: float) -> BrokenFrame:
    # NaN is among them, which is neither above nor below anything.
    return BrokenFrame(f"a run of {duration} s, {cpu} s of the processor, arrived")


def _encode_text(text: str) -> bytes:
    # Lone surrogates become escapes here, so that no sink of the runner stumbles over them later.
    return text.encode("utf-8", "backslashreplace")


def _texts(body: bytes | memoryview, lengths: Iterable[int]) -> Iterator[str]:
    start = _ENDED.size
    for length in lengths:
        yield str(body[start : start + length], "utf-8") if length else ""
        start += length
