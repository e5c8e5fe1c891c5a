"""A bare pickled pipe: a child that calls what it is told, as little as any pool must do."""

from __future__ import annotations

import contextlib
import os
import pickle
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

HEADER = struct.Struct("=I")
READ = 1 << 16


class Frames:
    """What arrives through a pipe, as frames."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._rest = b""
        self._buffer = bytearray()

    def read(self) -> list[bytes | memoryview]:
        """Wait for a frame, and return all that have arrived whole; [] at the end.

        They hold until the next call.
        """
        read = os.read(self.fd, READ)
        if not read:
            return []
        data = self._rest + read if self._rest else read
        frames: list[bytes | memoryview] = []
        start = 0
        while len(data) - start >= HEADER.size:
            begin = start + HEADER.size
            end = begin + HEADER.unpack_from(data, start)[0]
            if end > len(data):
                break
            frames.append(data[begin:end])
            start = end
        self._rest = data[start:]
        return frames or [self._long()]

    def _long(self) -> memoryview:
        # Into one buffer that is kept: nothing is joined, however many reads it takes, and no memory is asked for anew.
        while len(self._rest) < HEADER.size:
            self._rest += os.read(self.fd, READ) or _ended()
        size = HEADER.unpack_from(self._rest)[0]
        if len(self._buffer) < size:
            self._buffer = bytearray(size)
        view = memoryview(self._buffer)[:size]
        filled = len(self._rest) - HEADER.size
        view[:filled] = self._rest[HEADER.size :]
        self._rest = b""
        while filled < size:
            filled += os.readv(self.fd, [view[filled:]]) or _ended()
        return view


def _ended() -> NoReturn:
    raise EOFError("the other end is closed")


class BarePipe:
    """A child, and the two pipes to it."""

    def __init__(self, orders: int, results: int) -> None:
        self.orders, self._results = orders, Frames(results)

    def send(self, function: Callable[..., Any], *calls: tuple[Any, ...]) -> None:
        """Send calls in one write; of more than the pipe holds, the child must not wait for us meanwhile."""
        write_all(self.orders, [part for arguments in calls for part in framed((function, arguments))])

    def results(self, count: int) -> list[Any]:
        """Wait for so many results, in the order of their calls."""
        results: list[Any] = []
        while len(results) < count:
            results += map(pickle.loads, self._results.read() or _ended())
        return results

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Make a call, and return its result."""
        self.send(function, arguments)
        return self.results(1)[0]


@contextlib.contextmanager
def opened() -> Iterator[BarePipe]:
    """Start a child; it ends with the pipe."""
    (orders, to_child), (from_child, results) = os.pipe(), os.pipe()
    command = [sys.executable, "-m", __spec__.name, str(orders), str(results)]
    with subprocess.Popen(command, pass_fds=[orders, results]):
        for fd in (orders, results):
            os.close(fd)
        try:
            yield BarePipe(to_child, from_child)
        finally:
            for fd in (to_child, from_child):
                os.close(fd)


def framed(value: object) -> tuple[bytes, bytes]:
    """Return a frame of a value, in two parts."""
    pickled = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    return HEADER.pack(len(pickled)), pickled


def write_all(fd: int, parts: list[bytes]) -> None:
    """Write, however many writes it takes: one if they fit, and nothing that is long is copied."""
    for part in parts if sum(map(len, parts)) > READ else [b"".join(parts)]:
        view = memoryview(part)
        while view:
            view = view[os.write(fd, view) :]


def serve(orders: int, results: int) -> None:
    """Call what arrives, and write what comes of one read at once, until there is no more."""
    arriving = Frames(orders)
    while frames := arriving.read():
        calls = map(pickle.loads, frames)
        write_all(results, [part for function, arguments in calls for part in framed(function(*arguments))])


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
