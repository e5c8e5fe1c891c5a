"""The page of what is in flight: memory that the runner and its workers share, and that outlives both in a file."""

from __future__ import annotations

import mmap
import os
import struct

SLOT = 1024
"""Bytes of one slot: when its run began, its state, the length of what stands in it, and that."""
FREE, ORDERED, BEGUN = 0, 1, 2

_STATE = 8
# The time before the state, and so written before it: whoever writes may be killed in between.
_BEGUN = struct.Struct("!dB")
_LENGTH = struct.Struct("!H")
_TEXT = _BEGUN.size + _LENGTH.size
_MOST = SLOT - _TEXT
_WHOLE = struct.Struct(f"!dBH{_MOST}s")  # and zeros behind the text


class Page:
    """The slots of a file; each is written by one process at a time.

    Args:
        fd: of the file, whose length is a multiple of `SLOT`; it may be closed afterwards.
    """

    def __init__(self, fd: int) -> None:
        self.slots = os.fstat(fd).st_size // SLOT
        self._memory = mmap.mmap(fd, self.slots * SLOT)

    def close(self) -> None:
        """Let go of the memory; the file keeps what stands in it."""
        self._memory.close()

    def enter(self, slot: int, particulars: bytes) -> None:
        """Write a run's particulars before it is ordered.

        Args:
            slot: a free one.
            particulars: what does not fit is cut off.
        """
        length = min(len(particulars), _MOST)
        _WHOLE.pack_into(self._memory, slot * SLOT, 0.0, ORDERED, length, particulars)

    def begin(self, slot: int, at: float) -> None:
        """Note that the run has begun, at so many epoch seconds."""
        _BEGUN.pack_into(self._memory, slot * SLOT, at, BEGUN)

    def clear(self, slot: int) -> None:
        """Note that nothing is left to be told of the run."""
        self._memory[slot * SLOT + _STATE] = FREE

    def state(self, slot: int) -> int:
        """Return FREE, ORDERED or BEGUN."""
        return self._memory[slot * SLOT + _STATE]

    def began_at(self, slot: int) -> float:
        """Return when the run began, as epoch seconds; of a page that something else has written, any number."""
        return float(_BEGUN.unpack_from(self._memory, slot * SLOT)[0])

    def particulars(self, slot: int) -> bytes:
        """Return what was entered."""
        start = slot * SLOT
        (length,) = _LENGTH.unpack_from(self._memory, start + _BEGUN.size)
        return self._memory[start + _TEXT : start + min(SLOT, _TEXT + length)]
