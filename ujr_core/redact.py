"""The net under `Secret`: known values are scrubbed from every text that leaves the runner.

It is a net, not the wall: what was cut in two is not found, and values that are too short or too common are not
searched for.
"""

from __future__ import annotations

import base64
import json
import logging
import threading
import urllib.parse
from collections.abc import Iterator, Mapping

from ujr_core.secret import Secret

log = logging.getLogger("ujr")

SHORTEST = 6
"""Characters below which a value would be found in innocent text."""

TOO_COMMON = frozenset(
    ["password", "passwd", "secret", "changeme", "default", "example", "username", "localhost", "postgres"]
)
"""Values that guard nothing, and are words of nearly every log, address and file name.

Searching for them would tear those to pieces, and each gap would show what the value is.
"""

_LOCK = threading.Lock()
# Both are replaced, never changed, so that threads may read them while another one remembers.
_KNOWN: frozenset[tuple[str | bytes, str]] = frozenset()
# Form, and what stands for it; the longest first, so that a secret that begins another one is not found in that.
_NEEDLES: Mapping[str, str] = {}


def remember(secret: Secret) -> bool:
    """Scrub this secret's value from now on, in all its usual renderings.

    Returns:
        False if the value is not searched for; the log names the secret, once.
    """
    value, shown = secret.reveal(), repr(secret)
    is_searchable = len(value) >= SHORTEST and _as_text(value).casefold() not in TOO_COMMON
    # Looked up without the lock first: a thousand tasks may carry one secret.
    if (value, shown) not in _KNOWN:
        _learn(value, shown, is_searchable=is_searchable)
    return is_searchable


def knows_any() -> bool:
    """Tell whether there is anything to scrub."""
    return bool(_NEEDLES)


def scrub(text: str) -> str:
    """Return the text with every known secret replaced by its name."""
    # A substring loop is an order of magnitude faster than one large expression.
    for needle, shown in _NEEDLES.items():
        if needle in text:
            text = text.replace(needle, shown)
    return text


def _learn(value: str | bytes, shown: str, *, is_searchable: bool) -> None:
    global _KNOWN, _NEEDLES  # noqa: PLW0603  # one net for the whole process
    with _LOCK:
        is_news = (value, shown) not in _KNOWN
        _KNOWN |= {(value, shown)}
        if is_searchable:
            forms = {form: shown for form in _renderings(value) if _is_telling(form)}
            _NEEDLES = dict(sorted({**_NEEDLES, **forms}.items(), key=lambda needle: -len(needle[0])))
    if is_news and not is_searchable:
        log.warning("%s is too short or too common a value to be searched for: where it is shown, it stays", shown)


def _is_telling(form: str) -> bool:
    # What stands for bytes that are no text would be found in any other such bytes.
    return len(form) - form.count("\ufffd") >= SHORTEST and form.casefold() not in TOO_COMMON


def _as_text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _renderings(value: str | bytes) -> Iterator[str]:
    text = _as_text(value)
    raw = value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")
    yield text
    yield repr(text)[1:-1]
    yield repr(raw)[2:-1]
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield urllib.parse.quote(raw)
    yield urllib.parse.quote(raw, safe="")
    yield urllib.parse.quote_plus(raw)
    yield text.replace("'", "'\"'\"'")  # as a shell's argument, without the quotes around it
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
