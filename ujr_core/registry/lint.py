"""Mistakes in hook implementations, found before the first call."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pluggy

from ujr_core import hookspecs
from ujr_core.errors import PluginError, did_you_mean
from ujr_core.hookspecs import PROJECT, REPORT_HOOKS
from ujr_core.registry.forgotten import forgotten
from ujr_core.registry.marks import Marks
from ujr_core.registry.parameters import right_parameters, wrong_parameters

_ORDER_MARKS = ("wrapper", "hookwrapper", "tryfirst", "trylast")


@functools.cache
def hook_names() -> tuple[str, ...]:
    """Return every hook there is."""
    finder = pluggy.PluginManager(PROJECT)
    return tuple(name for name in dir(hookspecs) if finder.parse_hookspec_opts(hookspecs, name) is not None)


def mistakes(name: str, plugin: object, marks: Marks, source: str) -> Iterator[PluginError]:
    """Find what pluggy would accept and never call, or call wrongly.

    Args:
        name: of the plugin.
        plugin: a module or an instance.
        marks: its marked functions.
        source: its distribution and version; "" if it has none.
    """
    seen: dict[str, str] = {}
    for function_name, options in marks.ujr_options.items():
        hook, function = marks.hook_of(function_name), getattr(marks, function_name)
        where = _where(function, source)
        if hook not in hook_names():
            if not options.get("optionalhook"):
                yield _unknown_hook(name, hook, where)
            continue
        if _is_async(function):
            yield _async(name, hook, where)
        elif _is_wrapper(options) and not inspect.isgeneratorfunction(function):
            yield _no_wrapper(name, hook, where)
        yield from _wrong_marks(name, hook, options, where)
        yield from _wrong_arguments(name, hook, function, where)
        if not _is_wrapper(options) and seen.setdefault(hook, function_name) != function_name:
            yield _twice(name, hook, where)
    for function, hook, wrong, fix in forgotten(plugin, marks.ujr_unmarked, hook_names()):
        what = f'plugin "{name}" was not loaded: its {hook} {wrong}'
        yield PluginError("plugin-unmarked", what, _where(function, source), fix)


def wrong_signature(name: str, message: str, source: str) -> PluginError:
    """Say what pluggy says of a plugin that it refuses."""
    text = " ".join(message.split())
    return PluginError(
        "plugin-wrong-signature", f'plugin "{name}" was not loaded: {text}', source, "correct the function"
    )


def _unknown_hook(name: str, hook: str, where: str) -> PluginError:
    fix = did_you_mean(hook, hook_names()) or f"the hooks are {', '.join(hook_names())}"
    return PluginError("plugin-unknown-hook", f'plugin "{name}" was not loaded: there is no hook "{hook}"', where, fix)


def _wrong_marks(name: str, hook: str, options: dict[str, Any], where: str) -> Iterator[PluginError]:
    order = [mark for mark in _ORDER_MARKS if options.get(mark)]
    if hook in REPORT_HOOKS and order:
        # Each reporter has a thread of its own, so that neither order nor wrapping would hold.
        what = f'plugin "{name}" was not loaded: {hook} is a report hook and takes no {order[0]}'
        yield PluginError("plugin-report-order", what, where, "write @hookimpl alone")


def _wrong_arguments(name: str, hook: str, function: Callable[..., Any], where: str) -> Iterator[PluginError]:
    for wrong in wrong_parameters(hook, function):
        what = f'plugin "{name}" was not loaded: its {hook} {wrong}'
        yield PluginError("plugin-wrong-signature", what, where, right_parameters(hook, function))


def _is_async(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def _async(name: str, hook: str, where: str) -> PluginError:
    what = f'plugin "{name}" was not loaded: its {hook} is async, and nobody awaits it'
    return PluginError("plugin-async", what, where, f"write def {hook}, and within it asyncio.run(…) where you need it")


def _no_wrapper(name: str, hook: str, where: str) -> PluginError:
    what = f'plugin "{name}" was not loaded: its {hook} is marked as a wrapper, and has no yield'
    return PluginError("plugin-wrapper", what, where, "write result = yield, and at the end return result")


def _twice(name: str, hook: str, where: str) -> PluginError:
    what = f'plugin "{name}" was not loaded: two of its functions implement {hook}'
    return PluginError("plugin-hook-twice", what, where, "keep one of the two")


def _is_wrapper(options: dict[str, Any]) -> bool:
    return bool(options.get("wrapper") or options.get("hookwrapper"))


def _where(function: object, source: str) -> str:
    code = getattr(inspect.unwrap(function), "__code__", None) if inspect.isroutine(function) else None
    place = f"{code.co_filename}:{code.co_firstlineno}" if code else ""
    return f"{source} ({place})" if source and place else source or place
