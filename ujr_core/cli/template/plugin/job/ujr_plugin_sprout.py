"""A job that keeps a SHA-256 checksum of each file in a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import attrs
from ujr_core import Job, Task, hookimpl


@attrs.frozen
class Params:
    """What ``[jobs.<name>.params]`` says; ``ujr check`` finds a typo in it.

    Args:
        inbox: folder of the files.
        checksums: folder that their checksums are written into.
    """

    inbox: Path
    checksums: Path


# Asked again and again, it answers what is missing now. Keep no list of what was done: look at what is there.
@hookimpl
def get_runnable_tasks(job: Job) -> Iterator[Task]:
    """Name one task for each file that has no checksum yet."""
    params: Params = job.params
    for path in sorted(params.inbox.iterdir()):
        checksum = params.checksums / f"{path.name}.sha256"
        if path.is_file() and not checksum.exists():
            yield Task(write_checksum, (path, checksum), label=path.name)


# Runs in a worker, a process of its own: it may take long, raise or crash, and is tried again.
def write_checksum(path: Path, checksum: Path) -> str:
    """Write the checksum of one file, as ``sha256sum`` does."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    checksum.parent.mkdir(parents=True, exist_ok=True)
    draft = checksum.with_name(f".{checksum.name}.part")
    draft.write_text(f"{digest}  {path.name}\n", encoding="utf-8")
    draft.replace(checksum)  # under its name only once it is whole
    return digest
