"""The particulars of a run, as they stand in a slot of the page: enough to report it when its runner is gone."""

from __future__ import annotations

import functools
from typing import NamedTuple

_SEPARATOR = "\x1f"
_MOST = 150  # bytes of a text, so that all six fit into a slot
_WIDEST = 6  # bytes of a character, at most


class Particulars(NamedTuple):
    """What is known of a run before it begins.

    Args:
        id: as reported.
        job: name.
        plugin: name.
        node: name of the machine.
        function: dotted name.
        attempt: from 1 on.
        timeout: seconds; None = none.
        signature: scrubbed.
        label: scrubbed; None if it has none.
    """

    id: str
    job: str
    plugin: str
    node: str
    function: str
    attempt: int
    timeout: float | None
    signature: str
    label: str | None

    @classmethod
    def decoded(cls, data: bytes) -> Particulars | None:
        """Return what was encoded; None if it is something else."""
        parts = data.decode("utf-8", "replace").split(_SEPARATOR)
        if len(parts) != 9:
            return None
        job, plugin, node, function, timeout, identity, attempt, signature, label = parts
        try:
            return cls(identity, job, plugin, node, function, int(attempt), float(timeout) if timeout else None,
                       signature, label[1:] if label else None)  # fmt: skip
        except ValueError:
            return None


def encoded(kind: bytes, identity: str, attempt: int, signature: str, label: str | None) -> bytes:
    """Return particulars as they stand in a slot, which takes all of them, whatever the texts.

    Args:
        kind: as `encoded_kind` gives it.
        identity: of the run.
        attempt: from 1 on.
        signature: scrubbed.
        label: scrubbed; None if it has none.
    """
    if label is None:  # and the signature is a digest
        return kind + f"{identity}\x1f{attempt}\x1f{signature}\x1f".encode()
    text = f"{identity}\x1f{attempt}\x1f{_cut(signature)}\x1f+{_cut(label)}"
    return kind + text.encode("utf-8", "backslashreplace")


@functools.lru_cache(maxsize=1024)
def encoded_kind(job: str, plugin: str, node: str, function: str, timeout: float | None) -> bytes:
    """Return what the particulars of many runs have in common; the arguments are those of `Particulars`."""
    texts = (_cut(job), _cut(plugin), _cut(node), _cut(function), "" if timeout is None else str(timeout), "")
    return _SEPARATOR.join(texts).encode("utf-8", "backslashreplace")


def _cut(text: str) -> str:
    if len(text) * _WIDEST > _MOST:
        text = text.encode("utf-8", "backslashreplace")[:_MOST].decode("utf-8", "ignore")
    return text.replace(_SEPARATOR, " ") if _SEPARATOR in text else text
