"""`Address`: a URL of a database, taken apart, so that what is shown of it never holds a password."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, quote, unquote, urlsplit

import attrs

_KINDS: Mapping[str, Literal["sqlite", "postgresql"]] = {
    "sqlite": "sqlite",
    "postgresql": "postgresql",
    "postgres": "postgresql",
}
_PASSWORDS = ("password", "sslpassword")
_FORM = (
    "a url is sqlite:///file or postgresql://user@host/database, with %40 for an @ within a part, and so for / ? # : %"
)


@attrs.frozen
class Address:
    """Where a database is.

    Args:
        kind: of the database.
        database: its name; of SQLite the path of its file.
        host: None = what libpq takes without one.
        port: as ``host``.
        user: as ``host``.
        password: as ``host``.
        options: for libpq, such as sslmode.
    """

    kind: Literal["sqlite", "postgresql"]
    database: str
    host: str | None = None
    port: int | None = None
    user: str | None = None
    password: str | None = attrs.field(default=None, repr=False)
    options: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict, repr=False)

    @classmethod
    def parse(cls, url: str) -> Address:
        """Take a URL apart. The driver in it, as in ``postgresql+psycopg2``, is that of another program, and ignored.

        Raises:
            ValueError: it is none of a database that is known here; the message shows nothing of it.
        """
        try:
            parts = urlsplit(url.strip())
            kind, _ = _KINDS.get(parts.scheme.partition("+")[0]), parts.port
            options = parse_qs(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        except ValueError:
            raise ValueError(_FORM) from None
        # An @ or # that is not escaped ends up here, and with it the rest of a password.
        if (
            kind is None
            or "://" not in url
            or len(parts.path) < 2
            or parts.fragment
            or (kind != "sqlite" and "@" in parts.path)
        ):
            raise ValueError(_FORM)
        if kind == "sqlite":
            return _of_sqlite(parts.netloc, unquote(parts.path[1:]), options)
        user, password = (None if part is None else unquote(part) for part in (parts.username, parts.password))
        given = {name: tuple(values) for name, values in options.items()}
        return cls(kind, unquote(parts.path[1:]), parts.hostname, parts.port, user, password, given)

    @property
    def has_password(self) -> bool:
        """Whether a password stands in it."""
        return self.password is not None or any(name in self.options for name in _PASSWORDS)

    @property
    def passwords(self) -> tuple[str, ...]:
        """What must not be shown."""
        found = (self.password or "", *(value for name in _PASSWORDS for value in self.options.get(name, ())))
        return tuple(filter(None, found))

    @property
    def shown(self) -> str:
        """Return what a person would look for: neither user nor password nor options."""
        if self.kind == "sqlite":
            return f"sqlite:///{self.database}"
        host = f"[{self.host}]" if ":" in (self.host or "") else self.host or ""
        return f"postgresql://{host}{f':{self.port}' if self.port else ''}/{self.database}"

    @property
    def typed(self) -> str:
        """Return the same as it is typed into a shell, and as `parse` takes it."""
        return f"sqlite:///{quote(self.database)}" if self.kind == "sqlite" else self.shown

    def below(self, folder: Path) -> Address:
        """Return where it is for whoever is in another folder than the one in which its relative paths begin."""
        return attrs.evolve(self, database=str(folder / self.database)) if self.kind == "sqlite" else self


def _of_sqlite(netloc: str, path: str, options: Mapping[str, object]) -> Address:
    if netloc or options or path == ":memory:":
        raise ValueError("a url of SQLite is sqlite:///, three slashes, the path of a file, and nothing more")
    return Address("sqlite", path)
