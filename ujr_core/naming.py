"""Names of functions: a worker finds a task's function by importing it."""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable

from ujr_core.errors import TaskError

TYPE_CHECKING = False  # not that of `typing`, which takes a worker longer to import than all the rest
if TYPE_CHECKING:
    from typing import Any


@functools.lru_cache(maxsize=4096)
def function_name(function: Callable[..., Any]) -> str:
    """Return ``module:qualified.name`` of a function that a fresh process can import.

    Raises:
        TaskError: a lambda, a partial, a bound method, a local function, or something of ``__main__``.
    """
    module: str | None = getattr(function, "__module__", None)
    name: str | None = getattr(function, "__qualname__", None)
    if module is None or name is None:
        raise _refused(function, "has no name of its own", "write a plain function in a module and pass it")
    if "<lambda>" in name or "<locals>" in name:
        raise _refused(function, "exists only inside a function", "move it to the top level of a module")
    if module == "__main__":
        raise _refused(
            function,
            "belongs to the script or notebook that is running, which a worker cannot import",
            "move it to a module beside the script, for example tasks.py, and import it from there",
        )
    if _found(module, name) is not function:
        raise _refused(function, f"is not what importing {module}:{name} gives", "pass the function found there")
    return f"{module}:{name}"


@functools.lru_cache(maxsize=4096)
def dotted(function: str) -> str:
    """Return ``module.qualified.name``, as people are told of a function, of ``module:qualified.name``."""
    return function.replace(":", ".")


def import_function(name: str) -> Callable[..., Any]:
    """Import what ``module:qualified.name`` or ``module.name`` names.

    Raises:
        ImportError: there is no such module or name.
        TypeError: it cannot be called.
    """
    module, colon, path = name.partition(":")
    if not colon:
        module, _, path = name.rpartition(".")
    if not module or not path:
        raise ImportError(f'"{name}" is no function; write "module:function"')
    found: Any = importlib.import_module(module)
    for part in path.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise ImportError(f'module "{module}" has no "{path}"') from None
    if not callable(found):
        raise TypeError(f'"{name}" is a {type(found).__name__}, which cannot be called')
    return found  # type: ignore[no-any-return]  # callable, as checked above


def _found(module: str, name: str) -> object:
    found: object = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def _refused(function: object, why: str, fix: str) -> TaskError:
    name = getattr(function, "__qualname__", None) or type(function).__name__
    return TaskError("task-function", f'"{name}" cannot be a task: it {why}', f"Task({name}, …)", fix)
