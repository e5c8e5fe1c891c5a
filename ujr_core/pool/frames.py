"""Frames: what is written between processes is cut into messages of a length, a kind and a body.

A worker imports this, so it imports little.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

LARGEST = 256 * 1024 * 1024
"""Bytes of the largest frame that the runner takes from a worker."""
ANY_LENGTH = 2**64

_LARGE = 64 * 1024  # bytes of a body that is gathered in one place
HEADER = struct.Struct("!QB")

Frame = tuple[int, "bytes | memoryview"]
"""Kind and body; a large body is a view of memory that is nobody else's."""


class BrokenFrame(Exception):
    """The other side wrote what it never writes; nothing after it can be understood."""


class FrameReader:
    """Cuts a stream of bytes into frames, however they arrive.

    A large one is gathered in one place, whose size its header tells; whoever reads may read right into that.

    Args:
        limit: bytes of the largest body that is waited for.
    """

    def __init__(self, limit: int = LARGEST) -> None:
        self._limit = limit
        self._beginning = b""  # of a frame
        self._large, self._kind, self._filled = bytearray(), 0, 0

    @property
    def partial(self) -> int:
        """Bytes of a frame that has not arrived whole."""
        return len(self._beginning) + (self._filled + HEADER.size if self._large else 0)

    @property
    def room(self) -> memoryview | None:
        """Where the rest of a large frame goes, of which `fill` is told; None while there is none."""
        return memoryview(self._large)[self._filled :] if self._large else None

    def fill(self, count: int) -> Iterator[Frame]:
        """Take in so many bytes that were read into `room`, and yield the frame if it is whole now."""
        self._filled += count
        if self._filled == len(self._large):
            body, self._large = memoryview(self._large), bytearray()
            yield self._kind, body

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Yield kind and body of each frame that is whole now.

        Raises:
            BrokenFrame: a frame says that it is larger than the limit.
        """
        if (room := self.room) is not None:
            count = min(len(room), len(data))
            room[:count], data = data[:count], data[count:]
            yield from self.fill(count)
        if self._beginning:
            data, self._beginning = self._beginning + data, b""
        start, size, head, unpack = 0, len(data), HEADER.size, HEADER.unpack_from
        while (begin := start + head) <= size:
            length, kind = unpack(data, start)
            end = begin + length
            if end > size:
                if length > self._limit:
                    raise BrokenFrame(f"a message of {length} bytes was announced")
                if length > _LARGE:
                    self._begin_large(kind, length, data[begin:])
                    return
                break
            start = end
            yield kind, data[begin:end]
        self._beginning = data[start:]

    def _begin_large(self, kind: int, length: int, beginning: bytes) -> None:
        self._large, self._kind, self._filled = bytearray(length), kind, len(beginning)
        self._large[: len(beginning)] = beginning


def framed(kind: int, *parts: bytes) -> bytes:
    """Return a frame, whose body is in parts."""
    return b"".join((HEADER.pack(sum(map(len, parts)), kind), *parts))
