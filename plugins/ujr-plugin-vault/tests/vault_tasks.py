"""Tasks of the tests, run in a worker."""

from __future__ import annotations

from pathlib import Path

from ujr_core import Secret


def write_length(secret: Secret, file: Path) -> None:
    """Show that the value has arrived, without showing it."""
    print("got", secret)
    file.write_text(f"{secret!r} {len(secret.reveal())}")
