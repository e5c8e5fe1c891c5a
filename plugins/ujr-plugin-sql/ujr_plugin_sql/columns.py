"""Columns: which of them are settings of a job."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ujr_core import ConfigError, JobConfig, did_you_mean
from ujr_plugin_sql.table import Table

SETTINGS = tuple(field.name for field in attrs.fields(JobConfig) if field.name not in ("name", "origin"))


def settings_among(columns: Sequence[str], ignore: Sequence[str], table: Table) -> list[str]:
    """Return the columns to read: the name, and all that are settings.

    Args:
        columns: of the table.
        ignore: those that are not to be read.
        table: for errors.

    Raises:
        ConfigError: one is neither a setting nor to be ignored, for it may be a setting that was misspelt: a job would
            run without its timeout, and nobody would know.
    """
    if "name" not in columns:
        what, fix = "the table has no column name", "add it: each row needs the name of its job"
        raise ConfigError("sql-wrong-column", what, table.where(), fix)
    chosen = [column for column in columns if column not in ignore]
    strange = [column for column in chosen if column not in (*SETTINGS, "name")]
    if not strange:
        return chosen
    listed = ", ".join(f'"{column}"' for column in (*ignore, *strange))
    suggestions = [suggested for column in strange if (suggested := did_you_mean(column, SETTINGS))]
    question = f"{suggestions[0]} if not" if suggestions else "if that is for another program"
    fix = f"{question}, write ignore = [{listed}] in [plugins.{table.plugin}]"
    named = ", ".join(f'"{column}"' for column in strange)
    what = (
        f"column {named} is no setting of a job" if len(strange) == 1 else f"columns {named} are no settings of a job"
    )
    raise ConfigError("sql-wrong-column", what, table.where(), fix)
