"""What the runner and a worker write to each other: frames of a length, a kind and a body.

Nothing here unpickles anything: arguments and results pass as opaque bytes.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

# To a worker.
INIT, FUNCTION, RUN = 1, 2, 3
# From a worker.
HELLO, BEGUN, ENDED = 11, 12, 13

LARGEST = 256 * 1024 * 1024
"""Bytes of the largest frame that the runner takes from a worker."""
ENVELOPE = 1024 * 1024
"""Bytes that are more than all that stands in an ENDED frame beside the value."""
ANY_LENGTH = 2**64
_LONGEST_REST = 36_500 * 86_400  # seconds; what RetryAfter takes at most

_HEADER = struct.Struct("!QB")
_FUNCTION = struct.Struct("!I")
_RUN = struct.Struct("!QI")
_BEGUN = struct.Struct("!Q")
# Run, what it was (bits below), exit code, rest, duration, cpu seconds, peak memory, lengths of five texts.
_ENDED = struct.Struct("!QBqdddQ5I")
_RETURNED, _HAS_VALUE, _HAS_EXIT_CODE, _IS_DEFERRED, _HAS_LIMIT = 1, 2, 4, 8, 16


class BrokenFrame(Exception):
    """The other side wrote what it never writes; nothing after it can be understood."""


class Account(NamedTuple):
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

    returned: bool
    text: str
    type_name: str = ""
    traceback: str = ""
    exit_code: int | None = None
    value: bytes | None = None
    retry_after: float | None = None
    limit: str | None = None


class Measures(NamedTuple):
    """What a call took.

    Args:
        duration: seconds since the run was acknowledged.
        cpu_seconds: of the worker meanwhile, all its threads.
        peak_memory_bytes: highest memory of the worker so far.
    """

    duration: float
    cpu_seconds: float
    peak_memory_bytes: int


class Ended(NamedTuple):
    """All that an ENDED frame holds."""

    run_id: int
    account: Account
    measures: Measures
    output: str


class FrameReader:
    """Cuts a stream of bytes into frames, however they arrive.

    Args:
        limit: bytes of the largest body that is waited for.
    """

    def __init__(self, limit: int = LARGEST) -> None:
        self._limit = limit
        self._buffer = bytearray()

    @property
    def partial(self) -> int:
        """Bytes of a frame that has not arrived whole."""
        return len(self._buffer)

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield kind and body of each frame that is whole now.

        Raises:
            BrokenFrame: a frame says that it is larger than the limit.
        """
        buffer = self._buffer
        buffer += data
        while len(buffer) >= _HEADER.size:
            length, kind = _HEADER.unpack_from(buffer)
            if length > self._limit:
                raise BrokenFrame(f"a message of {length} bytes was announced")
            end = _HEADER.size + length
            if end > len(buffer):
                return
            with memoryview(buffer) as view:
                body = bytes(view[_HEADER.size : end])
            del buffer[:end]
            yield kind, body


def encode_init(sys_path: Sequence[str]) -> bytes:
    """Tell a new worker where to import from."""
    return _frame(INIT, json.dumps({"sys_path": list(sys_path)}).encode())


def decode_init(body: bytes) -> list[str]:
    """Return the entries of ``sys.path``."""
    found: list[str] = json.loads(body)["sys_path"]
    return found


def encode_function(number: int, name: str) -> bytes:
    """Give a function its number for the life of the worker."""
    return _frame(FUNCTION, _FUNCTION.pack(number), name.encode())


def decode_function(body: bytes) -> tuple[int, str]:
    """Return the number and the name."""
    (number,) = _FUNCTION.unpack_from(body)
    return number, body[_FUNCTION.size :].decode()


def encode_run(run_id: int, number: int, payload: bytes) -> bytes:
    """Order a run of the function with this number."""
    return _frame(RUN, _RUN.pack(run_id, number), payload)


def decode_run(body: bytes) -> tuple[int, int, memoryview]:
    """Return the run, the number of its function, and the pickled arguments."""
    run_id, number = _RUN.unpack_from(body)
    return run_id, number, memoryview(body)[_RUN.size :]


def encode_hello() -> bytes:
    """Say that the worker is ready."""
    return _frame(HELLO)


def encode_begun(run_id: int) -> bytes:
    """Acknowledge a run."""
    return _frame(BEGUN, _BEGUN.pack(run_id))


def decode_begun(body: bytes) -> int:
    """Return the run.

    Raises:
        BrokenFrame: the body has another size.
    """
    if len(body) != _BEGUN.size:
        raise BrokenFrame(f"an acknowledgement of {len(body)} bytes arrived")
    (run_id,) = _BEGUN.unpack(body)
    return int(run_id)


def encode_ended(run_id: int, account: Account, measures: Measures, output: str) -> bytes:
    """Tell what came of a run."""
    told = (account.text, account.type_name, account.traceback, account.limit or "", output)
    texts = [_encode_text(text) for text in told]
    bits = (
        _RETURNED * account.returned
        | _HAS_VALUE * (account.value is not None)
        | _HAS_EXIT_CODE * (account.exit_code is not None)
        | _IS_DEFERRED * (account.retry_after is not None)
        | _HAS_LIMIT * (account.limit is not None)
    )
    head = _ENDED.pack(run_id, bits, account.exit_code or 0, account.retry_after or 0.0, *measures, *map(len, texts))
    return _frame(ENDED, head, *texts, account.value or b"")


def decode_ended(body: bytes) -> Ended:
    """Return what came of a run.

    Raises:
        BrokenFrame: the body is no such message.
    """
    try:
        run_id, bits, exit_code, rest, duration, cpu, peak, *lengths = _ENDED.unpack_from(body)
        start = _ENDED.size + sum(lengths)
        text, type_name, traceback, limit, output = _texts(body, lengths)
    except (struct.error, UnicodeDecodeError) as error:
        raise BrokenFrame(f"an outcome that cannot be read arrived: {error}") from error
    if len(body) < start:
        raise BrokenFrame("an outcome that is shorter than it says arrived")
    if not 0 <= rest <= _LONGEST_REST:
        raise BrokenFrame(f"a task that is to rest for {rest} s arrived")
    account = Account(
        returned=bool(bits & _RETURNED),
        text=text,
        type_name=type_name,
        traceback=traceback,
        exit_code=exit_code if bits & _HAS_EXIT_CODE else None,
        value=body[start:] if bits & _HAS_VALUE else None,
        retry_after=rest if bits & _IS_DEFERRED else None,
        limit=limit if bits & _HAS_LIMIT else None,
    )
    return Ended(run_id, account, Measures(duration, cpu, peak), output)


def _frame(kind: int, *parts: bytes) -> bytes:
    return b"".join((_HEADER.pack(sum(map(len, parts)), kind), *parts))


def _encode_text(text: str) -> bytes:
    # Lone surrogates become escapes here, so that no sink of the runner stumbles over them later.
    return text.encode("utf-8", "backslashreplace")


def _texts(body: bytes, lengths: Iterable[int]) -> Iterator[str]:
    start = _ENDED.size
    for length in lengths:
        yield body[start : start + length].decode()
        start += length
