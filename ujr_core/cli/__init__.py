"""The command line: one file a verb; what is heavy is imported by the verb that needs it."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from typing import NoReturn


def main() -> NoReturn:
    """Run ``ujr`` with the arguments of the process, and exit."""
    code: object = 0
    try:
        from ujr_core.cli.verbs import ujr

        ujr(prog_name="ujr")
    except KeyboardInterrupt:
        code = 130  # so early that no verb has begun
    except SystemExit as ended:
        code = ended.code
    _exit(code if isinstance(code, int) else int(code is not None))


def _exit(code: int) -> NoReturn:
    others = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    lasting = [thread.name for thread in threading.enumerate() if not thread.daemon and thread.name in others]
    if not lasting:
        sys.exit(code)
    # Python would wait for a plugin's thread for ever; nothing of ours is left to be done.
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # closed, or nobody reads it
            stream.flush()
    os._exit(code)
