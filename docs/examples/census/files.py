"""The files under a folder, and digests of their contents."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Iterator

# Not part of the library: what was installed into it, and what Python compiled.
LEFT_OUT = {"site-packages", "dist-packages", "__pycache__"}


def source_files(root: str) -> Iterator[str]:
    """Yield the path of each ``.py`` file below a folder, relative to it."""
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = sorted(set(subfolders) - LEFT_OUT)
        for name in sorted(names):
            path = os.path.join(folder, name)
            if name.endswith(".py") and os.path.isfile(path):
                yield os.path.relpath(path, root)


def digest(path: str) -> str:
    """Return the digest of a file's content; "" if it cannot be read.

    A job looks often and little changes, so a file is read again only when its size or its time of change differs.
    Nothing is trusted beyond the life of the runner: the next start reads every file once.
    """
    try:
        seen = os.stat(path)
        return _digest(path, seen.st_mtime_ns, seen.st_size)
    except OSError:
        return ""  # it is no row's digest, so a task is wanted, and that one fails and says why


def digest_of(content: bytes) -> str:
    """Return the digest of a content."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


@functools.lru_cache(maxsize=100_000)
def _digest(path: str, _mtime_ns: int, _size: int) -> str:
    with open(path, "rb") as file:
        return digest_of(file.read())
