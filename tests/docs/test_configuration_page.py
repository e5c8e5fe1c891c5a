"""What the page of the configuration says of files, options and variables is so."""

from __future__ import annotations

import itertools
import re
import shlex
import typing

import attrs

from tests.docs.pages import read, rows, section
from ujr_core.configuration.overrides import VARIABLE, Overrides, read_overrides
from ujr_core.configuration.settings import RunnerSettings

PAGE = "docs/reference/configuration.md"


def test_every_variable_has_a_row() -> None:
    """Each single value of [runner] has its variable on the page, and there is no other."""
    fields = attrs.fields(attrs.resolve_types(RunnerSettings))
    single = [field.name for field in fields if typing.get_origin(field.type) is not tuple]
    documented = {name: re.findall("`(\\w+)`", cells[0])[0] for name, cells in rows(section(PAGE, "Variables")).items()}
    assert documented == {VARIABLE + name.upper(): name for name in single}


def test_each_setting_of_the_examples_is_one() -> None:
    """What the pages type after --set is taken."""
    lines = [line for line in read(PAGE).splitlines() if line.startswith("$ ujr") and "--set" in line]
    assert lines
    for line in lines:
        words = shlex.split(line)
        sets = tuple(after for word, after in itertools.pairwise(words) if word == "--set")
        assert read_overrides(Overrides(sets), RunnerSettings).faults == ()
