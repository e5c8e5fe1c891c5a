"""`Settings`: what ``[plugins.http]`` says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

import attrs

from ujr_core import Seconds
from ujr_plugin_http.address import check_url
from ujr_plugin_http.credential import Credential

NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
"""Of a header: a token of RFC 9110, 5.6.2."""

SECRET = re.compile(r"auth|cookie|key|token|secret|passw|session|credential|signature", re.IGNORECASE)
"""Words in the name of a header by which its value is taken for a secret."""

OURS = {"host", "connection", "content-length", "transfer-encoding", "te", "upgrade", "expect", "range", "if-range",
        "accept-encoding", "if-none-match", "if-modified-since", "if-match", "if-unmodified-since"}  # fmt: skip
"""Headers that say how one reading is made; another value would break it."""


def _is_positive(_: Any, __: Any, seconds: float) -> None:
    if seconds <= 0:
        raise ValueError("it is more than nothing")


def _is_elsewhere(_: Any, __: Any, token: str | Credential | None) -> None:
    # Text is taken by the type alone, for what is of a wrong type is shown.
    if isinstance(token, str):
        raise ValueError('a token does not stand in the configuration; write { env = "NAME" } or { file = "path" }')


def _check_headers(_: Any, __: Any, headers: Mapping[str, str | Credential]) -> None:
    for name, value in headers.items():
        if not NAME.fullmatch(name):
            raise ValueError("the name of a header has only letters, digits and dashes")
        if name.lower() in OURS:
            raise ValueError(f'the header "{name}" is set by the plugin itself')
        if isinstance(value, str):
            _check_clear(name, value)


def _check_clear(name: str, value: str) -> None:
    if SECRET.search(name):
        raise ValueError(f'"{name}" sounds secret; write {{ env = "NAME" }} or {{ file = "path" }} for its value')
    if not (value.isascii() and value.isprintable()):
        raise ValueError(f'the value of "{name}" has a character that no header can hold')


@attrs.frozen
class Settings:
    """What ``[plugins.http]`` says; without ``url`` the plugin is installed and not in use.

    Args:
        url: of the document; None = there is none.
        format: of the document; None = as its Content-Type says, or else the end of its path.
        timeout: seconds that a reading takes at most, from the look-up of the name to the last byte, > 0.
        token: where the token is that ``Authorization: Bearer`` sends; None = none is sent.
        headers: further ones; the value of a secret one is a place.
        ca_file: certificates that are trusted instead of those of the system.
        insecure: True says that http:// to another machine is meant.
        plugins: patterns of the job plugins that the document may name; needed, for who writes it chooses what is run.
    """

    # Whoever puts a token behind the "?" is told not to, but shall not read it in a log.
    url: str | None = attrs.field(default=None, repr=False)
    format: Literal["toml", "json"] | None = None
    timeout: Seconds = attrs.field(default=5.0, validator=_is_positive)
    token: str | Credential | None = attrs.field(default=None, repr=False, validator=_is_elsewhere)
    headers: Mapping[str, str | Credential] = attrs.field(factory=dict, repr=False, validator=_check_headers)
    ca_file: Path | None = None
    insecure: bool = False
    plugins: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        if self.url is not None:
            check_url(self.url, insecure=self.insecure)
            self._check_plugins()
        if self.token is not None and "authorization" in map(str.lower, self.headers):
            raise ValueError("token is sent as Authorization; one of both is enough")

    def _check_plugins(self) -> None:
        if not self.plugins:
            raise ValueError(
                'url needs plugins: the job plugins that the document may name, such as plugins = ["weather.jobs"]; '
                'who can write the document chooses among them, and can run any command if "command" or "call" is one'
            )

    def allows(self, plugin: str) -> bool:
        """Tell whether the document may name a job plugin."""
        return any(fnmatchcase(plugin, pattern) for pattern in self.plugins)
