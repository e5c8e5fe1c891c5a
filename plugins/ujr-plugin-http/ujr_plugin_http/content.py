"""From the body of an answer to its text, and to the format that it is in."""

from __future__ import annotations

import zlib
from typing import Literal
from urllib.parse import urlsplit

from ujr_core import ConfigError, printable
from ujr_plugin_http.exchange import MOST, Answer
from ujr_plugin_http.failures import too_large
from ujr_plugin_http.subject import Subject

Format = Literal["toml", "json"]
TYPES: dict[str, Format] = {
    "application/toml": "toml",
    "text/toml": "toml",
    "text/x-toml": "toml",
    "application/json": "json",
    "text/json": "json",
}
GZIP = 16 + zlib.MAX_WBITS


def text_of(answer: Answer, subject: Subject) -> str:
    """Return the text of a document; it is UTF-8, whatever its server says.

    Raises:
        ConfigError: it is packed in a way that was not asked for, larger than it may be, no UTF-8, or a web page.
    """
    content = _unpacked(answer, subject)
    if content.lstrip()[:1] == b"<":
        what = "is a web page, such as one to log in at, and no document of jobs"
        raise subject.wrong_document(what, f"correct url in [{subject.table}], or set token or headers")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        where, fix = f"{subject.url}:{line}", "save the document as UTF-8"
        raise ConfigError("http-wrong-document", f'"{subject.url}" is not UTF-8', where, fix) from None


def format_of(answer: Answer, subject: Subject) -> Format:
    """Return the format of a document, by its Content-Type, or else by the end of its path.

    Raises:
        ConfigError: neither tells.
    """
    kind = answer.headers.get_content_type() if "Content-Type" in answer.headers else ""
    path = urlsplit(subject.url).path.lower()
    found = "json" if kind.endswith("+json") else TYPES.get(kind)
    for ending in ("toml", "json"):
        if found is None and path.endswith(f".{ending}"):
            found = ending
    if found is None:
        said = f'its Content-Type is "{printable(kind)}"' if kind else "it has no Content-Type"
        what = f"does not tell whether it is TOML or JSON: {said}"
        raise subject.wrong_document(what, f'set format = "toml" or "json" in [{subject.table}]')
    return found


def _unpacked(answer: Answer, subject: Subject) -> bytes:
    packing = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if packing == "identity":
        return answer.body
    if packing not in ("gzip", "x-gzip"):
        what = f'is packed as "{printable(packing)[:40]}", which nobody asked for'
        raise subject.wrong_document(what, "have its server send it as it is, or as gzip")
    unpacking = zlib.decompressobj(GZIP)
    try:
        # Of a few kilobytes that unpack to gigabytes, no more than one byte too many is unpacked.
        content = unpacking.decompress(answer.body, MOST + 1)
    except zlib.error:
        raise _broken_gzip(subject) from None
    if len(content) > MOST:
        raise too_large(subject)
    if not unpacking.eof or unpacking.unused_data:
        raise _broken_gzip(subject)
    return content


def _broken_gzip(subject: Subject) -> ConfigError:
    return subject.wrong_document("says that it is gzip, and is not, or not all of it", "mend its server")
