"""Offers: what a job answered, signed and pickled on the thread that pulled it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from pickle import HIGHEST_PROTOCOL, dumps

from ujr_core import redact
from ujr_core.clock import Clock
from ujr_core.errors import PluginError, SecretError, TaskError, did_you_mean
from ujr_core.foreign import whole_text
from ujr_core.naming import function_name
from ujr_core.scheduler.events import Offer
from ujr_core.secret import Secret, pickle_secrets
from ujr_core.texts import cut, said_by, type_name_of
from ujr_core.values import Failure, NextCheck, Task
from ujr_core.values.configured import NOTHING

MOST_CHECKS = 100
"""NextChecks in a row; an answer that never comes to a task would burn a processor."""


def items_of(answered: object, plugin: str) -> Iterator[object]:
    """Return what a job answered, to be taken one by one; None is nothing.

    Raises:
        PluginError: it is nothing to take tasks from.
    """
    if answered is None:
        return iter(())
    if isinstance(answered, str | bytes | Mapping) or not isinstance(answered, Iterable):
        fix = "put it into a list: return [Task(…)]" if isinstance(answered, Task) else _FIX
        raise wrong_answer(plugin, f"a {type(answered).__name__} where tasks are wanted", fix)
    return iter(answered)


def task_of(item: object, plugin: str) -> Task:
    """Return what a job answered, if it is a task.

    Raises:
        PluginError: it is none.
    """
    if not isinstance(item, Task):
        raise wrong_answer(plugin, f"a {type(item).__name__}, not a Task", _FIX)
    return item


def offer_of(task: Task, plugin: str, limits: Collection[str] = ()) -> Offer:
    """Make an offer of a task.

    Args:
        task: as the job answered it.
        plugin: name of the job's plugin.
        limits: names of those that are configured.

    Raises:
        TaskError: it uses a limit that is not configured.
    """
    uses = _uses(task, plugin, limits) if task.uses else ()
    payload: bytes | None
    refusal: Failure | None = None
    met: list[Secret] = []
    try:
        arguments = task.args, _NO_KWARGS if task.kwargs is NOTHING else dict(task.kwargs)
        try:
            payload = dumps(arguments, HIGHEST_PROTOCOL)
        except SecretError:
            payload = pickle_secrets(arguments, met.append)
    except BaseException as error:  # noqa: BLE001  # a foreign __reduce__ may even exit; its run fails with its text
        payload, refusal = None, _refusal(error)
    name = function_name(task.function)
    offer = Offer(task.signature, name, payload, task.timeout, task, refusal, uses, task.label)
    for secret in met:
        redact.remember(secret)
        offer.has_secrets = True
    return offer


_FIX = "return a list of Task(function, args), or yield them"
_NO_KWARGS: dict[str, object] = {}


def check_count(checks: int, plugin: str) -> None:
    """Refuse an answer of nothing but NextChecks.

    Raises:
        PluginError: there were more than `MOST_CHECKS` in a row.
    """
    if checks > MOST_CHECKS:
        what = f"more than {MOST_CHECKS} NextChecks in a row"
        raise wrong_answer(plugin, what, "yield one, and then the tasks")


def wrong_answer(plugin: str, what: str, fix: str) -> PluginError:
    """Say what a job answered that it should not."""
    text = f'plugin "{plugin}" answered {what}'
    return PluginError("plugin-wrong-answer", text, f"get_runnable_tasks of {plugin}", fix)


def _uses(task: Task, plugin: str, limits: Collection[str]) -> tuple[tuple[str, int], ...]:
    # Names weigh 1 each, and one that is named twice weighs 2.
    weights = tuple(Counter(task.uses).items())
    for name, _ in weights:
        if name not in limits:
            what = f'the task uses the limit "{name}", which is not configured'
            fix = did_you_mean(name, limits) or "configure it in [limits]"
            raise TaskError("task-unknown-limit", what, f"get_runnable_tasks of {plugin}", fix)
    return weights


def _refusal(error: BaseException) -> Failure:
    message = cut(redact.scrub(f"the arguments cannot be pickled: {said_by(error)}"))
    return Failure("not_serialisable", type_name_of(type(error)), message, whole_text(error))


def monotonic_of(check: NextCheck, asked_at: float, clock: Clock) -> float:
    """Return the monotonic time that a NextCheck names."""
    if check.after is not None:
        return asked_at + check.after
    assert check.at is not None  # a NextCheck has one of the two
    return clock.until(check.at)
