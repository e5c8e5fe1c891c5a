"""``python -m ujr_core`` is ``ujr``."""

from ujr_core.cli import main

main()
