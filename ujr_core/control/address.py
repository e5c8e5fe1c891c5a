"""Where the socket is: a file of the state folder, however long the folder's path is."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from ujr_core.errors import StateError

FILE = "control.sock"

LONGEST = 100
"""Bytes of a path that fits into a socket's address everywhere; Linux takes 107, others 103."""

_OWN_DESCRIPTORS = Path("/proc/self/fd")


@contextlib.contextmanager
def address_in(folder: Path, file: str = FILE) -> Iterator[str]:
    """Give an address of a file in a folder, to be used while the context lasts.

    A long path is entered through a descriptor of its folder, which Linux shows under a short one. The current folder
    is left alone: it belongs to the whole process.

    Raises:
        StateError: the path is too long, and this system knows no way around it (code "control-unusable").
        OSError: there is no such folder.
    """
    path = folder / file
    if len(os.fsencode(path)) <= LONGEST:
        yield str(path)
        return
    if not _OWN_DESCRIPTORS.exists():
        raise StateError("control-unusable", "the path of the control socket is too long for this system", str(path),
                         "name a folder with a shorter path: state_dir in [runner]")  # fmt: skip
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield str(_OWN_DESCRIPTORS / str(descriptor) / file)
    finally:
        os.close(descriptor)
