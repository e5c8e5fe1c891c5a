"""Plugins that were written against earlier versions run on the core of today."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from tests.process.ujr_process import PATIENCE, environment

HERE = Path(__file__).parent
JOBS = """\
[words]
plugin = "compat_v0_1:jobs"
give_up_after = 1
backoff = { first = "100ms" }

[words.params]
word = "hello"
every = "2m"
password = { secret = "Everything:pass" }
login = { template = "me:{pw}", pw = { secret = "Everything:pass" } }
"""

# An old plugin is not changed to follow the core: see the README.
FROZEN = {"v0_1/compat_v0_1.py": "d55559d5f87490b5fbce66e075144ba8d2529d8cade51ce6f4ff8d4a6948f003"}


@pytest.mark.parametrize("path", FROZEN)
def test_an_old_plugin_was_not_edited(path: str) -> None:
    """The file is what it was when its version came out."""
    assert hashlib.sha256((HERE / path).read_bytes()).hexdigest() == FROZEN[path]


def test_a_plugin_of_0_1_works(tmp_path: Path) -> None:
    """Its source gives the job, its secrets are read, its job runs, and its reporter is told of each outcome."""
    (tmp_path / "project").mkdir()
    folder = tmp_path / "project"
    (folder / "jobs.toml").write_text(JOBS)
    code = f"import pathlib, compat_v0_1 as it; print(it.run(pathlib.Path({str(folder)!r})), it.Around.asked[0])"
    paths = {"PYTHONPATH": f"{HERE.parents[1]}:{HERE / 'v0_1'}"}
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(**paths),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.stdout == "1 words\n", ended.stderr  # 1: a task was given up
    told = (folder / "told.txt").read_text().splitlines()
    assert sorted(told) == [
        "words: again returned AGAIN [] project, printed AGAIN",
        "words: again started, attempt 1",
        "words: done",
        "words: shout returned HELLO [10, 13] project, printed HELLO",
        "words: shout started, attempt 1",
        "words: stumble failed: error, LookupError: no such stone, True, True",
        "words: stumble started, attempt 1",
    ]
