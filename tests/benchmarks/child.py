"""A measurement in a process of its own: what one contestant leaves behind touches no other, and one that hangs is
ended."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs

ROOT = Path(__file__).parents[2]

Figures = dict[str, float]


class LeftOut(Exception):
    """A contestant cannot take part: it is not installed, or not able to."""


class Unmeasured(Exception):
    """There is no figure, and the text says why in a few words."""


@attrs.frozen
class Contestant:
    """Something that is measured.

    Args:
        function: of a module; it returns figures, and runs in a process of its own.
        arguments: of the function, by name; plain data.
        timeout: seconds after which it hangs.
    """

    function: Callable[..., Figures]
    arguments: dict[str, Any] = attrs.Factory(dict)
    timeout: float = 300.0

    def measure(self) -> Figures:
        """Measure once.

        Raises:
            Unmeasured: it was left out, or hung, or failed.
        """
        with tempfile.TemporaryDirectory(prefix="ujr-bench-") as folder:
            answer, errors = Path(folder, "answer"), Path(folder, "errors")
            with errors.open("wb") as stderr:
                self._run(answer, stderr.fileno())
            if not answer.exists():
                lines = errors.read_text(errors="replace").split("\n")
                raise Unmeasured(
                    "failed: " + next((line for line in reversed(lines) if line.strip()), "without a word")
                )
            told: dict[str, Any] = json.loads(answer.read_text())
            if "left out" in told:
                raise Unmeasured(f"left out: {told['left out']}")
            return told

    def _run(self, answer: Path, stderr: int) -> None:
        module = sys.modules[self.function.__module__].__spec__
        assert module is not None  # of a script, too, as it was started with -m
        command = [sys.executable, "-m", __spec__.name, module.name, self.function.__qualname__]
        child = subprocess.Popen(
            [*command, json.dumps(self.arguments), str(answer)],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr, start_new_session=True,
        )  # fmt: skip
        try:
            child.wait(self.timeout)
        except subprocess.TimeoutExpired:
            raise Unmeasured(f"hung: nothing within {self.timeout:g} s") from None
        finally:
            # Its children, too: a pool that broke leaves them.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def peer(module: str) -> Any:
    """Return a module that may not be installed.

    Raises:
        LeftOut: it is not.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise LeftOut(f"{module.partition('.')[0]} is not installed") from None


def main(module: str, function: str, arguments: str, answer: str) -> None:
    """Measure, and write the figures down."""
    told: dict[str, Any]
    try:
        told = getattr(importlib.import_module(module), function)(**json.loads(arguments))
    except LeftOut as error:
        told = {"left out": str(error)}
    Path(answer).write_text(json.dumps(told))


if __name__ == "__main__":
    # By its own name, so that what it raises here is what it catches here.
    importlib.import_module(__spec__.name).main(*sys.argv[1:])
