"""What goes over the socket: a request, and the answer to it, each a line of JSON."""

from __future__ import annotations

import json
import math
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from ujr_core.errors import Faults, InternalError, StateError, UJRError, did_you_mean
from ujr_core.redact import scrub

LONGEST_REQUEST = 64 * 1024
"""Bytes of a line; the longest name and the longest signature that a person types are far below."""

MOST_TEXT = 1_000
"""Characters of one text that are told, such as a signature."""

WHERE = "control socket"

Answer = Mapping[str, Any]


@attrs.frozen
class Request:
    """What a person wants of a runner.

    Args:
        verb: such as "pause".
        job: name.
        due: of a trigger: ISO 8601, in the job's time zone if it names none.
        signature: of one task or run; None = all of the job.
        duration: of a pause, such as "1h"; None = until further notice.
        after: of a list: the last name of the page before.
        how: of a stop: "now".
    """

    verb: str
    job: str = ""
    due: str | None = None
    signature: str | None = None
    duration: str | None = None
    after: str | None = None
    how: str | None = None


_PARTS = ("code", "what", "where", "fix")
_FIELDS = tuple(field.name for field in attrs.fields(Request))


def request_line(request: Request) -> bytes:
    """Return a request as it is sent."""
    # What is empty is sent: left out, it would mean all tasks, or now.
    return _line({name: value for name, value in attrs.asdict(request).items() if value is not None})


def request_of(line: bytes) -> Request:
    """Read a request, whoever wrote it; it does not look whether there is such a verb.

    Raises:
        StateError: it is none (code "control-request").
    """
    if len(line) > LONGEST_REQUEST:
        raise wrong(f"a request is at most {LONGEST_REQUEST // 1024} KiB long")
    try:
        fields = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):  # of ValueError, wrong UTF-8 and wrong JSON are two kinds
        raise wrong("a request is one line of JSON in UTF-8, and this is none") from None
    if not isinstance(fields, dict) or not isinstance(fields.get("verb"), str):
        raise wrong('a request is an object that has a "verb"')
    for name, value in fields.items():
        if name not in _FIELDS:
            raise wrong(f'a request has no "{name[:60]}"', did_you_mean(name, _FIELDS))
        if not isinstance(value, str):
            raise wrong(f'"{name}" of a request is text', f'put it in quotes, or leave "{name}" out for none')
    return Request(**fields)


def answer_line(answer: Answer) -> bytes:
    """Return an answer as it is sent: no secret is in it, and whatever is in it can be read as JSON."""
    return _line(answer)


def cut(text: str) -> str:
    """Return a text that is not too long to be told: a signature is any text of the user's, and there may be a hundred.

    A secret that were cut in two would not be found any more, so none is left in what is cut.
    """
    return text if len(text) <= MOST_TEXT else scrub(text)[:MOST_TEXT] + "…"


def written(answer: Callable[[], Answer]) -> bytes:
    """Return an answer as it is sent; if it cannot be had or written, that is our bug, and the answer says so."""
    try:
        return answer_line(answer())
    except Exception as error:  # noqa: BLE001  # the loop, which is here, goes on
        return answer_line(refusal(bug(error)))


def bug(error: Exception) -> InternalError:
    """Return the error of what should not have been raised."""
    # Not logged: a handler that blocks would hold up the loop.
    frame = traceback.extract_tb(error.__traceback__)[-1]
    what = f"this is a bug of UJR: {type(error).__name__}: {error}"
    return InternalError("internal", what, f"{frame.filename}:{frame.lineno}", "please report it")


def refusal(error: UJRError) -> Answer:
    """Return the answer to what cannot be done; with all faults, if there are several."""
    faults = {"faults": [parts_of(fault) for fault in error.faults]} if isinstance(error, Faults) else {}
    return {"ok": False, "error": parts_of(error), **faults}


def parts_of(error: UJRError) -> Answer:
    """Return the four parts of an error."""
    return {part: getattr(error, part) for part in _PARTS}


def result_of(line: bytes) -> Answer:
    """Read an answer.

    Raises:
        StateError: what the runner refused, as it said it; or this is no answer (code "not-answering").
        Faults: it refused a configuration.
    """
    try:
        answer = json.loads(line)
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or not (answer.get("ok") or isinstance(answer.get("error"), dict)):
        raise StateError("not-answering", "what listens there is no runner", WHERE, "end it, then: ujr run")
    if not answer["ok"]:
        if isinstance(faults := answer.get("faults"), list) and faults:
            raise Faults(tuple(map(_error_of, faults)))
        raise _error_of(answer["error"])
    return answer


def _error_of(parts: Answer) -> StateError:
    return StateError(*(str(parts.get(part, "")) for part in _PARTS))


def wrong(what: str, fix: str = "") -> StateError:
    """Return the error of a request that no `ujr` sends."""
    return StateError("control-request", what, WHERE, fix or 'write, for example: {"verb": "explain", "job": "NAME"}')


def _line(fields: Answer) -> bytes:
    texts: set[str] = set()
    plain = _plain(fields, texts)
    # To look for hundreds of secrets in each of a thousand texts would hold up the loop; in all of them at once it does
    # not. Between two of them stands what no text holds that a secret is found in.
    together = "\0".join(texts)
    if scrub(together) != together:
        plain = _scrubbed(plain)
    return json.dumps(plain, allow_nan=False).encode("ascii") + b"\n"


def _plain(value: Any, texts: set[str]) -> Any:
    """Return what JSON can hold, and gather the texts in it."""
    if isinstance(value, str):
        texts.add(value)
        return value
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        texts.update(value)
        return {name: _plain(item, texts) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, texts) for item in value]
    return value


def _scrubbed(value: Any) -> Any:
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, dict):
        return {scrub(name): _scrubbed(item) for name, item in value.items()}
    return [_scrubbed(item) for item in value] if isinstance(value, list) else value
