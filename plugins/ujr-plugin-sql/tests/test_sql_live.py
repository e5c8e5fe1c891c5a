"""A runner that runs: an application writes rows, and what they say now is what it does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from live_runner import running
from sql_fixtures import Jobs
from sql_server import PASSWORD, PostgresServer

pytestmark = pytest.mark.slow

INSERT = "INSERT INTO ujr_jobs (name, plugin, params, every) VALUES (:name, 'command', :params, '100ms')"
UPDATE = "UPDATE ujr_jobs SET params = :params WHERE name = :name"
BROKEN = "INSERT INTO ujr_jobs (name, plugin, params, nodes) VALUES (:name, 'command', :params, '[1]')"
REFUSAL = 'job "broken" wants text for "nodes[0]", not 1'
DELETE = "DELETE FROM ujr_jobs WHERE name = :name"


def row(name: str, word: str) -> dict[str, str]:
    """Return a job that writes a word again and again."""
    return {"name": name, "params": json.dumps({"shell": f"echo {word} > pipe"})}


def is_good(source: dict[str, Any]) -> bool:
    """Tell whether the table is read."""
    return bool(source["state"] == "good")


def is_failed(source: dict[str, Any]) -> bool:
    """Tell whether the table could not be read, or was refused."""
    return bool(source["state"] == "failed")


def test_rows_are_followed_while_the_runner_runs(jobs: Jobs) -> None:
    """A row that comes runs, one that changes changes, one that goes stops; a broken one stops nothing."""
    jobs.create()
    with running(jobs) as runner:
        runner.wait_for("own")
        jobs.run(INSERT, row("report", "first"))
        runner.wait_for("first")

        jobs.run(UPDATE, row("report", "second"))
        runner.wait_for("second")
        assert "first" not in runner.wait_for("second", "own")

        jobs.run(BROKEN, row("broken", "third"))
        source = runner.wait_until(is_failed)
        assert (source["jobs"], source["text"]) == (1, REFUSAL)
        runner.wait_for("second", "own")

        jobs.run(DELETE, {"name": "broken"})
        runner.wait_until(is_good)
        jobs.run(DELETE, {"name": "report"})
        runner.wait_until(lambda source: source["jobs"] == 0 and runner.names() == ["own"])
        runner.wait_for("own")
        assert runner.wait_for("own") == {"own"}
        said = runner.stop()
    assert said.count(REFUSAL) == said.count("warning[") == 1
    assert "third" not in said
    assert PASSWORD not in said


def test_a_server_that_comes_back_is_followed_again(on_postgresql: Jobs, server: PostgresServer) -> None:
    """While it is down its jobs go on, and that is said once; what changes after its return is seen (promise 14)."""
    on_postgresql.create()
    on_postgresql.run(INSERT, row("report", "first"))
    with running(on_postgresql) as runner:
        runner.wait_for("first", "own")
        server.stop()
        try:
            source = runner.wait_until(is_failed)
            runner.wait_for("first", "own")
        finally:
            server.start()
        assert source["text"].startswith("the database cannot be read: ")
        on_postgresql.run(INSERT, row("more", "second"))
        runner.wait_for("second", "first", "own")
        assert is_good(runner.wait_until(is_good))
        said = runner.stop()
    # A server that starts says so, and that is another text; none comes twice.
    warnings = [line.partition("warning")[2] for line in said.splitlines() if "warning[sql-unavailable]" in line]
    assert len(warnings) == len(set(warnings)) >= 1
    assert PASSWORD not in said
