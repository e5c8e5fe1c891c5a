"""The job ``summarise``: waits until every file is measured, then writes the summary and a report.

It is told nothing by ``measure``. It looks at the same table, and as long as something is missing it answers nothing.
"""

from __future__ import annotations

import os
import sqlite3
import sysconfig
from collections.abc import Iterator

import attrs
import table
from measure import gone, out_of_date

from ujr_core import Job, JobDone, Task, hookimpl

MOST_COMPLEX = "SELECT complexity, path FROM measured ORDER BY complexity DESC, path LIMIT 10"
FAULTS = "SELECT path, fault FROM measured WHERE fault IS NOT NULL ORDER BY path"


@attrs.frozen
class Params:
    """What ``[jobs.summarise.params]`` may say.

    Args:
        root: folder of the sources; default: the standard library of this Python.
        database: SQLite file of the rows.
        report: text file to write.
        keep_watching: go on when the report is written; otherwise the job is done.
    """

    root: str = sysconfig.get_path("stdlib")
    database: str = "census.sqlite3"
    report: str = "report.txt"
    keep_watching: bool = False


@hookimpl
def get_runnable_tasks(job: Job) -> Iterator[Task]:
    """Yield the one task when nothing is missing and the report is not of these rows; otherwise be done."""
    params: Params = job.params
    table.create(params.database)
    known = table.digests(params.database)
    if gone(known, params.root) or any(out_of_date(known, params.root)):
        return  # not yet: the runner asks again
    if not is_summarised(params, known):
        yield Task(summarise, (params.database, params.report), signature="report")
    elif not params.keep_watching:
        raise JobDone


def is_summarised(params: Params, known: dict[str, str]) -> bool:
    """Tell whether summary and report are of exactly these rows."""
    return os.path.exists(params.report) and table.summary(params.database).get("of") == table.fingerprint(known)


# The task.


def summarise(database: str, report: str) -> None:
    """Write report and summary of the rows as they are now."""
    with table.writing(database) as connection:
        rows = connection.execute("SELECT path, digest FROM measured")
        fingerprint = table.fingerprint(dict(rows))
        totals = dict(connection.execute(table.TOTALS).fetchone())
        # The report first: killed before the commit, it is simply written again.
        replace_text(report, report_text(connection, totals))
        entries = [(name, str(value)) for name, value in {**totals, "of": fingerprint}.items()]
        connection.executemany("REPLACE INTO summary VALUES (?, ?)", entries)


def report_text(connection: sqlite3.Connection, totals: dict[str, int]) -> str:
    """Return the report: totals, the ten most complex files, and those that do not parse."""
    lines = [f"{name:12}{value:>10,}" for name, value in totals.items()]
    lines += ["", "The ten most complex files:"]
    lines += [f"{complexity:>10,}  {path}" for complexity, path in connection.execute(MOST_COMPLEX)]
    lines += ["", "Files that do not parse:"]
    lines += [f"  {path}: {fault}" for path, fault in connection.execute(FAULTS)]
    return "\n".join(lines) + "\n"


def replace_text(path: str, text: str) -> None:
    """Write a file so that a reader finds the old text or the new one, and never a half."""
    new = f"{path}.new.txt"
    with open(new, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
    os.replace(new, path)
