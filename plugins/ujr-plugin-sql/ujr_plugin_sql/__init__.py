"""Jobs from a table in SQLite or PostgreSQL: each row is one."""

from ujr_plugin_sql.schema import create_table
from ujr_plugin_sql.source import Sql

__all__ = ["Sql", "create_table"]
