"""Mutated configurations: whatever a file says, there is an answer in four parts, and what is taken is right."""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

import attrs
import pytest

from tests.property.mutations import MAIN, MUTATIONS, SEEDS, SMALL, Files, Mutation, cut_everywhere, mutated
from ujr_core.builtin import toml
from ujr_core.configuration.jobs import Consolidation, consolidate
from ujr_core.configuration.settings import Main, main_of, read_main
from ujr_core.configuration.writing import consolidated
from ujr_core.errors import Faults, UJRError
from ujr_core.values import JobConfig, JobTable, Node, Start

EACH = 200
"""Configurations of each kind; with those that are cut at each byte they are more than two thousand."""

PLACE = re.compile(r"^(ujr\.toml|ujr\.d/[^:]+\.toml)(:\d+| \(toml\)|, )")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ujr.d").mkdir()
    return tmp_path


def write(folder: Path, files: Files, before: Files) -> None:
    """Write the files, and remove those of before."""
    for name in before.keys() - files.keys():
        (folder / name).unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)


def jobs_of(main: Main, tables: Mapping[str, JobTable] | None) -> Consolidation:
    """Consolidate what the configuration's own files say."""
    return consolidate([("toml", tables)], main.runner, overrides=main.job_overrides)


def read(folder: Path) -> tuple[UJRError, ...]:
    """Read the configuration as a start does, and return its faults; what has none is taken, and looked at."""
    try:
        main = read_main(folder / MAIN)
    except UJRError as error:
        return error.faults if isinstance(error, Faults) else (error,)
    found = jobs_of(main, toml.config_source(Start(main.path, main.folder, {})))
    faults = (*main.faults, *found.faults)
    if not faults:
        assert_same_when_written(main, found)
    return faults


def assert_same_when_written(main: Main, found: Consolidation) -> None:
    """A configuration that was taken says the same once it has been written by ``ujr config show``."""
    written = consolidated(main.document, {name: one.table for name, one in found.tables.items()})
    assert not written.left_out
    again = main_of(tomllib.loads(written.toml()), main.folder)
    assert not again.faults
    assert again.runner == main.runner
    assert canonical(again.node) == canonical(main.node)
    assert again.limits == main.limits
    assert canonical(jobs_of(again, again.job_tables()).jobs) == canonical(found.jobs)


def canonical(value: object) -> str:
    """Return a text that is the same for the same values: keys have no order, nan is itself, origins are left out."""
    if isinstance(value, JobConfig | Node):
        value = {
            field.name: getattr(value, field.name) for field in attrs.fields(type(value)) if field.name != "origin"
        }
    if isinstance(value, Mapping):
        return f"{{{', '.join(sorted(f'{key!r}: {canonical(item)}' for key, item in value.items()))}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(canonical, value))}]"
    return repr(value)


def assert_is_told(fault: UJRError) -> None:
    """A fault has four parts, and names file and line, or file and key."""
    assert fault.code
    assert fault.what
    assert fault.fix
    assert PLACE.match(fault.where), fault.where
    assert "Traceback" not in str(fault)
    assert len(str(fault)) < 3000


@pytest.mark.parametrize("name", sorted(SMALL))
def test_a_configuration_cut_at_any_byte_is_told_or_taken(folder: Path, name: str) -> None:
    """Each beginning of a file is a configuration, or is refused in four parts that name file and line or key."""
    cut = cut_everywhere(SMALL, name)
    refused = 0
    for files in cut:
        write(folder, files, {})
        faults = read(folder)
        refused += bool(faults)
        for fault in faults:
            assert_is_told(fault)
    assert 0 < refused < len(cut)


@pytest.mark.parametrize("seed", range(len(SEEDS)))
def test_the_seeds_are_taken(folder: Path, seed: int) -> None:
    """What is mutated was right before."""
    write(folder, SEEDS[seed], {})
    assert read(folder) == ()


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_a_mutated_configuration_is_told_or_taken(folder: Path, mutation: Mutation) -> None:
    """No change of a text makes anything but a right configuration, or faults in four parts with their places."""
    rng = random.Random(mutation.__name__)
    before: Files = {}
    refused = 0
    for _ in range(EACH):
        files = mutated(rng.choice(SEEDS), mutation, rng)
        write(folder, files, before)
        before = files
        faults = read(folder)
        refused += bool(faults)
        for fault in faults:
            assert_is_told(fault)
    assert refused > EACH / 5
