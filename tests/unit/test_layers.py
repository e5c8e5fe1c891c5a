"""Rooms know only what stands below them."""

from __future__ import annotations

import ast
import pathlib
from collections.abc import Iterator

import pytest

import ujr_core

ROOT = pathlib.Path(ujr_core.__file__).parent

# Lowest floor first. A room may import rooms of lower floors; rooms of one floor do not know each other.
FLOORS = (
    (
        "clock",
        "errors",
        "durations",
        "expectation",
        "footprint",
        "texts",
        "privacy",
        "codewatch",
        "hangup",
        "interrupt",
    ),
    ("secret", "patience", "lag", "firstprocess"),
    ("naming", "redact"),
    ("signature", "foreign", "workingfolder", "notify"),
    ("values", "executoroffer"),
    ("hookspecs", "execution", "inbox", "calendar"),
    ("scheduler", "pool", "configuration"),
    ("registry", "offering", "signals", "statefolder", "inflight", "currentrun"),
    ("details", "answer", "threads", "report", "memory", "control"),
    ("strand", "reporter"),
    ("asking", "keeper", "engine", "localexecutor"),
    ("reporting", "adapter", "sources"),
    ("dispatch", "project", "upcoming", "executors"),
    ("loop", "refresh"),
    ("reloading",),
    ("overview",),
    ("life",),
    ("runner", "dryrun", "simulation"),
    ("testing",),
    ("cli",),
    ("__main__",),
)
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}

# What a pure room may import beside its own kind: no clock, chance, thread, file, socket, log or plugin manager.
PURE = {"scheduler", "calendar", "values", "signature", "durations", "errors", "expectation"}
HARMLESS = {
    "__future__", "attrs", "collections", "collections.abc", "contextlib", "copy", "cronsim", "datetime", "decimal",
    "difflib", "enum", "fnmatch", "fractions", "functools", "hashlib", "heapq", "itertools", "math", "pathlib",
    "pickle", "re", "signal", "struct", "types", "typing", "tzlocal", "uuid", "warnings", "zlib", "zoneinfo",
}  # fmt: skip


def imports_of(path: pathlib.Path) -> Iterator[str]:
    """Each module that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield node.module or ""
            if node.module == "ujr_core":
                yield from (f"ujr_core.{alias.name}" for alias in node.names)


def room_of(path: pathlib.Path) -> str:
    """The file or folder right below the package."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


FILES = sorted(path for path in ROOT.rglob("*.py") if "template" not in path.parts)


def test_every_room_has_a_floor() -> None:
    """A new room is put on a floor by the one who builds it."""
    assert {room_of(path) for path in FILES} - {"builtin", "__init__"} == set(FLOOR_OF)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_rooms_import_only_what_stands_below_them(path: pathlib.Path) -> None:
    """Imports run one way, from the command line down to the values; siblings do not import each other."""
    room = room_of(path)
    if room in ("builtin", "__init__"):
        return
    for module in imports_of(path):
        if module.startswith("ujr_core.") and (other := module.split(".")[1]) in FLOOR_OF and other != room:
            assert FLOOR_OF[other] < FLOOR_OF[room], f"{room} imports {module}"


BUILT_IN = sorted((ROOT / "builtin").rglob("*.py"))


@pytest.mark.parametrize("path", BUILT_IN, ids=lambda path: str(path.relative_to(ROOT)))
def test_built_in_plugins_use_nothing_a_stranger_could_not(path: pathlib.Path) -> None:
    """Built-in plugins import only public names of the package, and the files of their own folder."""
    public = {f"ujr_core.{name}" for name in ujr_core.__all__}
    own = f"ujr_core.builtin.{path.parent.name}."
    used = {module for module in imports_of(path) if module.startswith("ujr_core.")}
    assert {module for module in used if not module.startswith(own)} <= public


@pytest.mark.parametrize(
    "path", [path for path in FILES if room_of(path) in PURE], ids=lambda path: str(path.relative_to(ROOT))
)
def test_pure_rooms_stay_pure(path: pathlib.Path) -> None:
    """No clock, chance, thread, input or output, log or plugin manager is imported where only decisions are made."""
    assert {module for module in imports_of(path) if not module.startswith("ujr_core")} <= HARMLESS


def test_the_pool_knows_values_alone() -> None:
    """Of the rest of the package, the pool imports what a worker could import as well."""
    allowed = {"pool", "values", "execution", "errors", "naming", "secret", "texts", "privacy"}
    for path in (ROOT / "pool").glob("*.py"):
        rooms = {module.split(".")[1] for module in imports_of(path) if module.startswith("ujr_core.")}
        assert rooms <= allowed, path.name
