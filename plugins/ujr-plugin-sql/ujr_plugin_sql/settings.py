"""`Settings`: what ``[plugins.sql]`` says."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import attrs

from ujr_core import ConfigError, Seconds
from ujr_plugin_sql.address import Address
from ujr_plugin_sql.credential import EXAMPLE, Credential
from ujr_plugin_sql.table import DEFAULT


def _check_url(_: object, __: object, url: object) -> None:
    if url is None:
        return
    if not isinstance(url, str):
        Credential.of(url)
    elif Address.parse(url).has_password:
        raise ValueError(f"a password does not stand in the configuration; name where it is: password = {EXAMPLE}")


def _check_password(_: object, __: object, password: object) -> None:
    if password is not None:
        Credential.of(password)


def _check_table(_: object, __: object, table: str) -> None:
    if not all(table.split(".")) or table.count(".") > 1:
        raise ValueError('a table is "name", or "schema.name"')


def _check_ignore(_: object, __: object, columns: tuple[str, ...]) -> None:
    if "name" in columns:
        raise ValueError("the column name is the one that cannot be ignored")


def _is_positive(_: object, __: object, seconds: float) -> None:
    if seconds <= 0:
        raise ValueError("it is more than nothing")


@attrs.frozen
class Settings:
    """What ``[plugins.sql]`` says; without ``url`` the plugin is installed and not in use.

    Args:
        url: of the database, without a password, or a table that says where the whole of it is.
        password: a table that says where it is; None = none, or what libpq finds.
        table: that holds the jobs.
        plugins: patterns of the job plugins that rows may name; needed, for who writes a row chooses what is run.
        ignore: columns that are no settings of a job, and are not read.
        timeout: seconds that one read may take, > 0.
    """

    # Any, and not text or table: what has the wrong type is shown in the refusal, and may be the password.
    url: Any = attrs.field(default=None, validator=_check_url)
    password: Any = attrs.field(default=None, validator=_check_password)
    table: str = attrs.field(default=DEFAULT, validator=_check_table)
    plugins: tuple[str, ...] = ()
    ignore: tuple[str, ...] = attrs.field(default=(), validator=_check_ignore)
    timeout: Seconds = attrs.field(default=8.0, validator=_is_positive)

    def __attrs_post_init__(self) -> None:
        if self.url is not None and not self.plugins:
            raise ValueError(
                'url needs plugins: the job plugins that rows may name, such as plugins = ["weather.jobs"]; who can '
                'write the table chooses among them, and can run any command if "command" or "call" is one'
            )
        is_file = isinstance(self.url, str) and Address.parse(self.url).kind == "sqlite"
        if self.password is not None and (self.url is None or is_file):
            raise ValueError("password means nothing without the url of a server")

    def allows(self, plugin: str) -> bool:
        """Tell whether a row may name a job plugin."""
        return any(fnmatchcase(plugin, pattern) for pattern in self.plugins)

    def address(self, environ: Mapping[str, str], folder: Path, name: str) -> Address:
        """Return where the database is, with the password as it is now.

        Args:
            environ: of the start.
            folder: where relative paths begin.
            name: of the plugin, for errors.

        Raises:
            ConfigError: the password, or the whole url, is not where it should be.
        """
        address = self._address(environ, folder, f"plugins.{name}.url")
        if self.password is None:
            return address
        password = Credential.of(self.password).read(f"plugins.{name}.password", environ, folder)
        return attrs.evolve(address, password=password)

    def _address(self, environ: Mapping[str, str], folder: Path, key: str) -> Address:
        if isinstance(self.url, str):
            return Address.parse(self.url)
        place = Credential.of(self.url)
        try:
            return Address.parse(place.read(key, environ, folder))
        except ValueError as error:
            form = str(error)
        what = f"what {place} holds is no url of a database that is known here"
        raise ConfigError("sql-no-credential", what, key, form)
