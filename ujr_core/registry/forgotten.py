"""Implementations that pluggy would pass by: they have the name of a hook, and no mark of ours."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from typing import Any

from ujr_core import hookspecs

_MARK = "_impl"
_OPTIONS = {"wrapper", "hookwrapper", "tryfirst", "trylast", "optionalhook"}
"""Of the mark of any project on pluggy."""


def forgotten(plugin: object, names: Iterable[str], hooks: Iterable[str]) -> Iterator[tuple[object, str, str, str]]:
    """Find them.

    Args:
        plugin: a module or an instance; it is looked at without running its code.
        names: of its attributes that have no mark of ours.
        hooks: all there are.

    Yields:
        The function, its hook, what is wrong with it behind "its task_failed", and the fix.
    """
    for name in names:
        found = inspect.getattr_static(plugin, name, None)
        function = found.__func__ if isinstance(found, staticmethod | classmethod) else found
        project, specname = _foreign_mark(found) or _foreign_mark(function) or ("", "")
        hook = specname or name
        if hook not in hooks or not _is_meant(function, hook):
            continue
        if project:
            yield function, hook, f"has the mark of {project}, which UJR does not look at", _use_our_mark(hook)
        elif not inspect.isroutine(function):
            what = f"is no function but an object of {type(function).__name__}, and would never be called"
            yield function, hook, what, f"write def {hook}, and mark it with @hookimpl, which comes from ujr_core"
        else:
            yield function, hook, "is not marked, and would never be called", _use_our_mark(hook)


def _use_our_mark(hook: str) -> str:
    return f"write @hookimpl, which comes from ujr_core, above def {hook}"


def _is_meant(function: object, hook: str) -> bool:
    # `from ujr_core.hookspecs import task_failed`, for @implements, brings the contract into a module.
    return callable(function) and function is not getattr(hookspecs, hook)


def _foreign_mark(function: object) -> tuple[str, str] | None:
    """Return whose mark it has, and the hook that the mark names or ""."""
    marks: dict[str, Any] = getattr(function, "__dict__", {}) if inspect.isroutine(function) else {}
    for name, options in marks.items():
        if name.endswith(_MARK) and isinstance(options, dict) and options.keys() >= _OPTIONS:
            return name.removesuffix(_MARK), options.get("specname") or ""
    return None
