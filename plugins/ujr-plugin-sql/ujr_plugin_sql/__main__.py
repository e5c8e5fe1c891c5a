"""``python -m ujr_plugin_sql URL [TABLE]``: create the table."""

from __future__ import annotations

import sys

from sqlalchemy.exc import SQLAlchemyError

from ujr_plugin_sql.address import Address
from ujr_plugin_sql.schema import create_table
from ujr_plugin_sql.table import DEFAULT

USAGE = "usage: python -m ujr_plugin_sql URL [TABLE]"


def main(arguments: list[str]) -> int:
    """Create the table, and return the exit code."""
    if not 1 <= len(arguments) <= 2 or arguments[0].startswith("-"):
        print(USAGE, file=sys.stderr)  # noqa: T201  # it is a command
        return 2
    url, table = arguments[0], (*arguments, DEFAULT)[1]
    try:
        was_created = create_table(url, table)
    except (ValueError, ImportError, SQLAlchemyError) as error:
        print(f"error: {getattr(error, 'orig', None) or error}", file=sys.stderr)  # noqa: T201
        return 1
    how = "created table" if was_created else "there is already a table"
    print(f"{how} {table} in {Address.parse(url).shown}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
