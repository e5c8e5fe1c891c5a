"""Kinds of plugins, told apart without running code of theirs: ``__class__`` may be a property that raises."""

from __future__ import annotations

from types import ModuleType
from typing import TypeGuard


def is_text(plugin: object) -> TypeGuard[str]:
    """Say whether it names a plugin."""
    return issubclass(type(plugin), str)


def is_class(plugin: object) -> TypeGuard[type]:
    """Say whether it is a class, which is constructed."""
    return issubclass(type(plugin), type)


def is_module(plugin: object) -> TypeGuard[ModuleType]:
    """Say whether it is a module, which is never closed."""
    return issubclass(type(plugin), ModuleType)


def kind_of(plugin: object) -> type | ModuleType:
    """Return the class of an instance, and anything else as it is: what has a name and a file."""
    return plugin if is_class(plugin) or is_module(plugin) else type(plugin)
