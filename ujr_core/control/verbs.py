"""The verbs: what each does, and which fields of a request it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs

from ujr_core.control import orders, questions
from ujr_core.control.asked import Asked, Overseen, Said
from ujr_core.control.wire import WHERE, Request, wrong
from ujr_core.errors import StateError, did_you_mean


@attrs.frozen
class Verb:
    """One verb.

    Args:
        act: does it.
        takes: names of the fields that may come with it.
    """

    act: Callable[[Asked], Said]
    takes: frozenset[str]


def _verb(act: Callable[[Asked], Said], *takes: str) -> Verb:
    return Verb(act, frozenset(takes))


VERBS: Mapping[str, Verb] = {
    "status": _verb(questions.status),
    "list": _verb(questions.listed, "after"),
    "show": _verb(questions.shown, "job"),
    "explain": _verb(questions.explained, "job"),
    "trigger": _verb(orders.trigger, "job", "due"),
    "pause": _verb(orders.pause, "job", "duration"),
    "resume": _verb(orders.resume, "job"),
    "retry": _verb(orders.retry, "job", "signature"),
    "cancel": _verb(orders.cancel, "job", "signature"),
    "reload": _verb(orders.reload),
    "stop": _verb(orders.stop, "how"),
    "wait": _verb(orders.wait),
}

_FIELDS = [field for field in attrs.fields(Request) if field.name != "verb"]


def obey(request: Request, runner: Overseen, now: float) -> Said:
    """Return what is to be done about a request, and what is answered.

    Args:
        request: as it was sent.
        runner: that it was sent to.
        now: monotonic.

    Raises:
        StateError: it cannot be done; nothing is.
    """
    verb = VERBS.get(request.verb)
    if verb is None:
        near = did_you_mean(request.verb[:60], VERBS) or f"the verbs are: {', '.join(VERBS)}"
        raise StateError("control-unknown-verb", f'there is no verb "{request.verb[:60]}"', WHERE, near)
    for field in _FIELDS:
        # What has no effect is refused, for whoever sent it expects one.
        if field.name not in verb.takes and getattr(request, field.name) != field.default:
            raise wrong(f'"{request.verb}" takes no "{field.name}"', f'leave "{field.name}" out')
    return verb.act(Asked(request, runner, now))
