"""The state folder: held by one runner, and never left in a state that keeps the next one from starting."""

from __future__ import annotations

import concurrent.futures
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ujr_core.errors import StateError
from ujr_core.statefolder import VERSION, is_held, locked


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the state folder of a runner that has run."""
    path = tmp_path / ".ujr"
    with locked(path):
        return path


def test_nobody_else_may_read_what_is_in_it(folder: Path) -> None:
    """Folder and files are the user's own, and nothing but lock and version is left."""
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {
        "lock": 0o600,
        "version": 0o600,
    }


def test_whether_a_runner_has_it_can_be_seen_from_outside(folder: Path) -> None:
    """As often as one likes, without making anything, and without keeping the next runner from it."""
    assert not is_held(folder.parent / "none")
    with locked(folder):
        assert (is_held(folder), is_held(folder)) == (True, True)
    assert not is_held(folder)
    with locked(folder):
        assert is_held(folder)
    assert not (folder.parent / "none").exists()


def test_a_version_that_stands_there_is_not_written_again(folder: Path) -> None:
    """A start that is killed cannot spoil what an earlier one wrote."""
    before = (folder / "version").stat()
    with locked(folder):
        after = (folder / "version").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_an_empty_version_is_a_new_one(folder: Path) -> None:
    """Power that failed between creating the file and writing it ends no later start."""
    (folder / "version").write_text("")
    with locked(folder):
        assert (folder / "version").read_text() == VERSION + "\n"


def test_a_write_that_fails_leaves_no_half_of_a_version(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk ends this start; once there is room, the next one runs."""
    (folder / "version").unlink()

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:  # no disk can be filled in a test
        disk.setattr(os, "replace", full)
        with pytest.raises(StateError, match="cannot be used: No space left on device"), locked(folder):
            pass
    assert not (folder / "version").exists()
    with locked(folder):
        assert (folder / "version").read_text() == VERSION + "\n"


@pytest.mark.parametrize("content", [b"2\n", b"\xff\xfe"])
def test_a_version_of_another_runner_is_refused_and_kept(folder: Path, content: bytes) -> None:
    """What a newer runner wrote, or nobody can read, is no runner's to overwrite."""
    path = folder / "version"
    path.write_bytes(content)
    with pytest.raises(StateError) as caught, locked(folder):
        pass
    shown = content.decode(errors="replace").strip()
    assert str(caught.value) == (
        f'error[state-version]: the state folder has version "{shown}", this runner knows 1\n'
        f"  where: {path}, runner.state_dir\n"
        "  fix:   use the version of ujr-core that wrote it, or delete the folder"
    )
    assert path.read_bytes() == content


def test_the_lock_goes_with_whoever_held_it(folder: Path) -> None:
    """While it is held a second runner is refused, and after that it is not."""
    with locked(folder):
        with pytest.raises(StateError) as caught, locked(folder):
            pass
        assert caught.value.code == "already-running"
    with locked(folder):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="not every system locks folders")
def test_who_removes_the_lock_of_a_runner_gets_no_second_one(folder: Path) -> None:
    """It looks like a stale file, and is none."""
    with locked(folder):
        (folder / "lock").unlink()
        assert is_held(folder)
        with pytest.raises(StateError) as caught, locked(folder):
            pass
        assert caught.value.code == "already-running"
    with locked(folder):
        pass


def test_a_folder_that_cannot_be_used_is_told_with_the_setting_that_names_it(tmp_path: Path) -> None:
    """Whoever reads the error finds the setting to change."""
    (tmp_path / "file").touch()
    with pytest.raises(StateError) as caught, locked(tmp_path / "file"):
        pass
    assert str(caught.value) == (
        "error[state-unusable]: the state folder cannot be used: File exists\n"
        f"  where: {tmp_path}/file, runner.state_dir\n"
        "  fix:   make it writable, or name another one: state_dir in [runner]"
    )


FORKS = """
import os, pathlib, signal, sys
from ujr_core.statefolder import locked

with locked(pathlib.Path(sys.argv[1])):
    if os.fork() == 0:
        print("forked", flush=True)
        sys.stdin.read()  # until the test has seen enough
    else:
        signal.pause()
"""


def test_a_forked_child_does_not_keep_the_lock_of_its_runner(folder: Path) -> None:
    """A process that a hook forked may outlive a runner that is killed: the next one starts all the same."""
    with subprocess.Popen(
        [sys.executable, "-c", FORKS, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as runner:
        assert runner.stdin
        assert runner.stdout
        assert runner.stderr
        assert runner.stdout.readline() == b"forked\n"
        with pytest.raises(StateError, match="another runner runs"), locked(folder):
            pass
        runner.send_signal(signal.SIGKILL)
        assert runner.wait() == -signal.SIGKILL
        with locked(folder):
            pass
        runner.stdin.close()
        # To its end, so that the child is gone; it left the block as if it held the lock, and broke nothing.
        assert runner.stderr.read() == b""


def test_whoever_looks_refuses_no_runner(folder: Path) -> None:
    """To look takes the lock for an instant, in which a runner may start."""
    with locked(folder):
        pass
    has_ended = threading.Event()

    def look() -> None:
        while not has_ended.is_set():
            is_held(folder)

    with concurrent.futures.ThreadPoolExecutor(2) as others:
        lookers = [others.submit(look) for _ in range(2)]
        try:
            for _ in range(2_000):
                with locked(folder):
                    pass
        finally:
            has_ended.set()
    assert [looker.result() for looker in lookers] == [None, None]
