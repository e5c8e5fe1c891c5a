"""URLs: which are taken, and what of them may be shown."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit, urlunsplit


def check_url(url: str, *, insecure: bool) -> None:
    """See that a document may be read from a URL.

    Args:
        url: as it is written.
        insecure: whether plain http to another machine is meant.

    Raises:
        ValueError: it may not; the text does not hold the URL, for that may hold a password.
    """
    parts = _split(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError("a URL is https://, a name, and the path of a document; other letters than A to Z as %…")
    if "@" in parts.netloc:
        raise ValueError('a URL holds no user and no password; write token = { env = "NAME" }, or headers')
    if parts.fragment:
        raise ValueError("a URL ends before the #, for a document is read as a whole")
    if parts.scheme == "http" and not insecure and not is_loopback(parts.hostname):
        what = "http:// to another machine lets whoever is in between write your jobs"
        raise ValueError(f"{what}; write https://, or insecure = true if that is meant")


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, whatever a name server says."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def shown(url: str) -> str:
    """Return a URL without what may be secret: who asks, and what is asked for behind the "?"."""
    parts = _split(url)
    if parts is None:
        return "a URL that cannot be read"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "…" if parts.query else "", ""))


def _split(url: str) -> SplitResult | None:
    if not url.isascii() or not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
        # Both raise only when they are asked: the port may be no number, and the name too long for a label.
        _ = parts.port, (parts.hostname or "").encode("idna")
    except ValueError:
        return None
    return parts
