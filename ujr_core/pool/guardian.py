"""The guardian: a small process that ends what the runner started, should the runner be ended itself.

Run as a file, without site packages: it knows the standard library alone. It is told on its standard input which
process groups live, as lines of ``+pgid`` and ``-pgid``; at the end of that input it kills those that are left.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterable


def listen(lines: Iterable[bytes]) -> set[int]:
    """Return the groups that are left when the lines end."""
    groups: set[int] = set()
    for line in lines:
        if not line.endswith(b"\n"):
            break  # cut short by the runner's death; half a number is somebody else's group
        change = groups.add if line.startswith(b"+") else groups.discard
        change(int(line[1:]))
    return groups


def end(groups: Iterable[int]) -> None:
    """Kill each group at once."""
    for group in groups:
        with contextlib.suppress(OSError):  # it has gone by itself
            os.killpg(group, signal.SIGKILL)


def main() -> None:
    """Guard until the runner closes the pipe, or is gone."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    end(listen(sys.stdin.buffer))


if __name__ == "__main__":
    main()
