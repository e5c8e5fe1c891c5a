"""A runner that runs: what its document says now is what it does, and a document that is lost stops nothing."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from document_server import Asked, DocumentServer, reply
from http_fixtures import UJR

PATIENCE = 60.0
"""Seconds after which a test gives up; what it waits for comes within two."""


class Witness:
    """A pipe that jobs write their names into."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        # For writing, too: it neither waits for the first writer nor ends with the last.
        self._descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def wait_for(self, name: str) -> None:
        """Wait until a job writes its name, from now on."""
        self._told(0)
        while name not in self._told(PATIENCE):
            pass

    def close(self) -> None:
        """Close the pipe."""
        os.close(self._descriptor)

    def _told(self, seconds: float) -> list[str]:
        if not select.select([self._descriptor], [], [], seconds)[0]:
            assert seconds == 0, "no job has run"
            return []
        return os.read(self._descriptor, 65536).decode().split()


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[Witness]:
    """What the jobs of this test write into."""
    witness = Witness(tmp_path / "pipe")
    yield witness
    witness.close()


@pytest.fixture
def runner(server: DocumentServer, witness: Witness, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A runner of the jobs of a document, which it reads each tenth of a second."""
    server.answer = document("one")
    (tmp_path / "ujr.toml").write_text(
        f'[plugins.http]\nurl = "{server.url}"\nplugins = ["command"]\nrefresh = "100ms"\n'
    )
    with subprocess.Popen(
        [UJR, "run"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as running:
        yield running
        running.kill()  # nothing, if it has ended


def document(name: str) -> bytes:
    """Return a document of one job, which writes its name into the pipe again and again."""
    return reply(f'[jobs.{name}]\nplugin = "command"\nevery = "100ms"\nparams = {{ shell = "echo {name} > pipe" }}\n')


@pytest.mark.slow
def test_the_document_is_followed_and_its_loss_stops_nothing(
    server: DocumentServer, runner: subprocess.Popen[str], witness: Witness
) -> None:
    """A new document takes the place of the old; while there is none the last one goes on, and that is said."""
    witness.wait_for("one")
    server.answer = document("two")
    witness.wait_for("two")
    failed = asked_again(server, reply(status=503))
    assert failed.wait(PATIENCE)
    witness.wait_for("two")
    server.answer = document("three")
    witness.wait_for("three")
    runner.send_signal(signal.SIGTERM)
    said = runner.communicate(timeout=PATIENCE)[0]
    assert runner.returncode == 0
    assert said.count(f'warning[http-unavailable]: "{server.url}" answered with an error of its own (503)') == 1
    assert "fix:   look into the log of its server" in said


def asked_again(server: DocumentServer, answer: bytes) -> threading.Event:
    """Answer this from now on; return what is set at the third question, when two answers have had their effect."""
    told = threading.Event()
    questions = iter((None, None))

    def answered(_: Asked) -> bytes:
        if next(questions, told) is told:
            told.set()
        return answer

    server.answer = answered
    return told
