"""What foreign code changes in the process is put back, and said."""

from __future__ import annotations

import os
import pathlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from ujr_core.footprint import unchanged_process


@pytest.fixture(autouse=True)
def _safe(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put back by other means what a broken footprint would leave to the tests after it."""
    monkeypatch.chdir(tmp_path)
    mask, handler = os.umask(0o022), signal.getsignal(signal.SIGUSR2)
    yield
    os.umask(mask)
    signal.signal(signal.SIGUSR2, handler)
    signal.setitimer(signal.ITIMER_REAL, 0)


def changed(what: Callable[[], object]) -> list[str]:
    """Return what is said of a change."""
    with unchanged_process() as texts:
        what()
        assert texts == []
    return texts


def test_a_process_that_nobody_changed_has_no_text() -> None:
    """What was changed and changed back is not said either."""

    def there_and_back() -> None:
        os.umask(os.umask(0o077))

    assert changed(there_and_back) == []


def test_the_working_folder_is_put_back(tmp_path: pathlib.Path) -> None:
    """The text names the folder that was changed to."""
    assert changed(lambda: os.chdir("/")) == ["changed the working folder to /; it was put back"]
    assert pathlib.Path.cwd() == tmp_path


def test_a_folder_that_is_gone_is_said_and_nothing_is_raised(tmp_path: pathlib.Path) -> None:
    """What cannot be put back is said with the cause."""
    inner = tmp_path / "inner"
    inner.mkdir()
    os.chdir(inner)

    def leave() -> None:
        os.chdir("/")
        inner.rmdir()

    (text,) = changed(leave)
    assert text == (
        f"changed the working folder to /, which could not be put back: [Errno 2] No such file or directory: '{inner}'"
    )


def test_the_umask_is_put_back() -> None:
    """The text says it as a person writes it."""
    assert changed(lambda: os.umask(0o007)) == ["changed the umask to 007; it was put back"]
    assert os.umask(0o022) == 0o022


def test_what_was_taken_from_the_path_of_modules_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes first again; what was added stays, for that is how some find their modules."""
    monkeypatch.setattr(sys, "path", ["/first", "/second"])
    assert changed(lambda: sys.path.append("/third")) == []

    def take() -> None:
        sys.path[:] = ["/second", "/fourth"]

    monkeypatch.setattr(sys, "path", ["/first", "/second"])
    assert changed(take) == ["changed sys.path, where /first was missing; it was put back"]
    assert sys.path == ["/first", "/second", "/fourth"]


def test_the_folder_is_put_back_whatever_stands_in_place_of_chdir(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plugin that patches the module os takes nothing from the runner."""

    def leave() -> None:
        os.chdir("/")
        monkeypatch.setattr(os, "chdir", None)

    assert changed(leave) == ["changed the working folder to /; it was put back"]
    assert pathlib.Path.cwd() == tmp_path


def test_a_handler_is_put_back() -> None:
    """Also one that ignores the signal; the text names the signal."""
    before = signal.getsignal(signal.SIGUSR2)
    assert changed(lambda: signal.signal(signal.SIGUSR2, signal.SIG_IGN)) == [
        "changed the handler of SIGUSR2; it was put back"
    ]
    assert signal.getsignal(signal.SIGUSR2) is before


def test_a_timer_is_put_back() -> None:
    """A signal that comes from nowhere would end the runner."""
    assert changed(lambda: signal.alarm(1000)) == ["changed the timer of SIGALRM; it was put back"]
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_a_timer_that_goes_on_is_nobodys_change() -> None:
    """What is left of it shrinks by itself."""
    signal.setitimer(signal.ITIMER_REAL, 1000, 2000)
    assert changed(lambda: None) == []
    assert signal.getitimer(signal.ITIMER_REAL)[1] == 2000


def test_all_that_was_changed_is_said_in_one_text() -> None:
    """Two and three changes read as a person would say them."""

    def two() -> None:
        os.chdir("/")
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)

    def three() -> None:
        two()
        os.umask(0o077)

    assert changed(two) == ["changed the working folder to /, and the handler of SIGUSR2; both were put back"]
    assert changed(three) == [
        "changed the working folder to /, the umask to 077, and the handler of SIGUSR2; all were put back"
    ]


def test_what_raises_is_put_back_too(tmp_path: pathlib.Path) -> None:
    """An error, and a person's ^C, pass through with the process as it was."""

    def leave(error: type[BaseException]) -> None:
        os.chdir("/")
        raise error

    for error in (OSError, KeyboardInterrupt):
        with pytest.raises(error), unchanged_process() as texts:
            leave(error)
        assert pathlib.Path.cwd() == tmp_path
        assert len(texts) == 1


def test_beside_the_main_thread_handlers_are_left_alone() -> None:
    """They can be changed in the main thread only, so a change seen elsewhere is somebody else's."""
    texts: list[str] = []
    entered, changed_meanwhile = threading.Event(), threading.Event()

    def watch() -> None:
        with unchanged_process() as said:
            entered.set()
            assert changed_meanwhile.wait(60)
        texts.extend(said)

    thread = threading.Thread(target=watch)
    thread.start()
    assert entered.wait(60)
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    changed_meanwhile.set()
    thread.join()
    assert texts == []
    assert signal.getsignal(signal.SIGUSR2) is signal.SIG_IGN
