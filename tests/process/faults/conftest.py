"""Fixtures of the tests that provoke faults."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator

import attrs
import pytest

from tests.process.faults.play import Play


@attrs.frozen
class Pipe:
    """A named pipe that a task waits for.

    Args:
        path: its name.
        fd: where to write.
    """

    path: str
    fd: int

    def let_go(self) -> None:
        """Let one task go on."""
        os.write(self.fd, b"!")


@pytest.fixture
def play(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    """Return what runs scripts, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return Play(tmp_path)


@pytest.fixture
def pipe(tmp_path: pathlib.Path) -> Iterator[Pipe]:
    """Return a named pipe."""
    path = tmp_path / "go"
    os.mkfifo(path)
    fd = os.open(path, os.O_RDWR)
    yield Pipe(str(path), fd)
    os.close(fd)
