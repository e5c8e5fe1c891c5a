"""The command line: one file a verb; what is heavy is imported by the verb that needs it."""

from __future__ import annotations

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run ``ujr`` with the arguments of the process, and exit."""
    try:
        from ujr_core.cli.verbs import ujr

        ujr(prog_name="ujr")
    except KeyboardInterrupt:
        pass  # so early that no verb has begun
    sys.exit(130)
