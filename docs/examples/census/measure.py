"""The job ``measure``: sees to it that the table has the right row for every source file.

It keeps no list of what it has done. Each time it is asked it compares the folder with the table and answers what is
missing, so it may be killed at any moment: the next ask finds what is still missing, and nothing else.
"""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Iterator, Mapping

import attrs
import table
from files import digest, digest_of, source_files
from source import measure

from ujr_core import Job, Task, hookimpl


@attrs.frozen
class Params:
    """What ``[jobs.measure.params]`` may say; anything else there is found by ``ujr check``.

    Args:
        root: folder of the sources; default: the standard library of this Python.
        database: SQLite file of the rows.
    """

    root: str = sysconfig.get_path("stdlib")
    database: str = "census.sqlite3"


@hookimpl
def get_runnable_tasks(job: Job) -> Iterator[Task]:
    """Yield a task for each file whose row is missing or out of date, and for each row whose file is gone.

    A generator looks at its world as it goes: the runner pulls a task only when one can start.
    """
    params: Params = job.params
    table.create(params.database)
    known = table.digests(params.database)
    for path in gone(known, params.root):
        yield Task(forget_file, (params.database, path), signature=path)
    for path in out_of_date(known, params.root):
        # The path alone is the signature, so a file that is edited while it is being measured waits for its turn:
        # two workers never write one row. A signature with the digest in it would let the older one write last.
        yield Task(measure_file, (params.database, params.root, path), signature=path)


def out_of_date(known: Mapping[str, str], root: str) -> Iterator[str]:
    """Yield each file that differs from its row, or has none.

    Args:
        known: path and digest of each row.
        root: folder of the sources.
    """
    for path in source_files(root):
        if known.get(path) != digest(os.path.join(root, path)):
            yield path


def gone(known: Mapping[str, str], root: str) -> list[str]:
    """Return the path of each row whose file is no more."""
    return sorted(known.keys() - set(source_files(root)))


# The tasks. They run in a worker: all they know of this run is in their arguments.


def measure_file(database: str, root: str, path: str) -> None:
    """Measure one file and write its row."""
    with open(os.path.join(root, path), "rb") as file:
        content = file.read()
    # The digest is of what was read here, not of what the job saw: the row is true even if the file changed between.
    table.put(database, path, digest=digest_of(content), measure=measure(content))


def forget_file(database: str, path: str) -> None:
    """Remove the row of a file that is no more."""
    table.remove(database, path)
