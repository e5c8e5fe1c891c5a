"""Tables: drawn by rich on a terminal, plain aligned text otherwise."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click


def show_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a table to stdout."""
    from ujr_core.foreign import printable

    clean = [[printable(cell) for cell in row] for row in rows]
    if sys.stdout is not None and sys.stdout.isatty():
        _draw(headings, clean)
        return
    widths = [max(map(len, column)) for column in zip(headings, *clean, strict=True)]
    for row in (headings, *clean):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _draw(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))  # as Text, for in a str rich would read [this] as markup
    Console().print(table)
