"""The net under `Secret`: known values are scrubbed from every text that leaves the runner.

It is a net, not the wall: values under six characters are not searched for, and what was cut in two is not found.
"""

from __future__ import annotations

import base64
import json
import shlex
import urllib.parse
from collections.abc import Iterator

from ujr_core.secret import Secret

SHORTEST = 6
"""Characters below which a value would be found in innocent text."""

_NEEDLES: dict[str, str] = {}


def remember(secret: Secret) -> bool:
    """Scrub this secret's value from now on, in all its usual renderings.

    Returns:
        False if the value is too short to be searched for.
    """
    value = secret.reveal()
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    if len(text) < SHORTEST:
        return False
    for form in _renderings(text):
        if len(form) >= SHORTEST:
            _NEEDLES[form] = repr(secret)
    return True


def scrub(text: str) -> str:
    """Return the text with every known secret replaced by its name."""
    # A substring loop is an order of magnitude faster than one large expression.
    for needle in [needle for needle in _NEEDLES if needle in text]:
        text = text.replace(needle, _NEEDLES[needle])
    return text


def _renderings(text: str) -> Iterator[str]:
    raw = text.encode("utf-8", "surrogatepass")
    yield text
    yield repr(text)[1:-1]
    yield repr(raw)[2:-1]
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield urllib.parse.quote(raw)
    yield urllib.parse.quote(raw, safe="")
    yield urllib.parse.quote_plus(raw)
    yield shlex.quote(text)
    yield raw.hex()
    yield raw.hex().upper()
    yield from _base64_forms(raw)
    yield from (line for line in text.splitlines() if len(line) >= 8)


def _base64_forms(raw: bytes) -> Iterator[str]:
    # Inside a longer encoded text a value begins at one of three alignments; the characters that neighbours
    # share with it are left out.
    for shift in range(3):
        padded = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
        spoiled = (0, 2, 3)[shift]
        inner = padded[spoiled:] if (shift + len(raw)) % 3 == 0 else padded[spoiled:-1]
        yield inner
        yield inner.replace("+", "-").replace("/", "_")
