"""The command line: one file a verb; what is heavy is imported by the verb that needs it."""

from __future__ import annotations

import os
import sys
import threading
from typing import NoReturn

LONGEST_EXIT = 2.0
"""Seconds that a process takes to end, once there is nothing more to do."""


def main() -> NoReturn:
    """Run ``ujr`` with the arguments of the process, and exit."""
    code: object = 0
    try:
        if "run" in sys.argv:
            from ujr_core.hangup import survive_hang_ups
            from ujr_core.interrupt import remember_interrupts

            remember_interrupts()
            survive_hang_ups()
        from ujr_core.cli.verbs import ujr

        ujr(prog_name="ujr")
    except KeyboardInterrupt:
        code = 130  # so early that no verb has begun
    except SystemExit as ended:
        code = ended.code
    _exit(code if isinstance(code, int) else int(code is not None))


def _exit(code: int) -> NoReturn:
    # Python waits for threads and exit handlers of plugins, some of which never end; nothing of ours is left to do.
    last_resort = threading.Timer(LONGEST_EXIT, os._exit, (code,))
    last_resort.daemon = True
    last_resort.start()
    sys.exit(code)
