"""`refresh` in the table of a plugin, as it stands in a file: taken by the core, or refused with its line."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path

import attrs
import pytest

from tests.docs.pages import section
from tests.unit.configured import Source
from ujr_core.configuration.snapshots import FIRST_WAIT, LONGEST_WAIT
from ujr_core.project import Project, load_project
from ujr_core.reloading import POLL
from ujr_core.sources import LEAST_REFRESH, REFRESH


class Tuned(Source):
    """A config source with a setting of its own."""

    @attrs.frozen
    class Settings:
        """What its table says."""

        address: str = ""

    def __init__(self, settings: Settings) -> None:
        super().__init__({})
        self.settings = settings


def project_of(folder: Path, *tables: str) -> Project:
    """Return what a file with these tables comes to."""
    path = folder / "ujr.toml"
    path.write_text("\n".join(('[runner]\ndisable_plugins = ["log"]', *tables)))
    with contextlib.chdir(folder):
        return load_project(path, (Tuned,), discover=False)


def refusals_of(folder: Path, *tables: str) -> list[str]:
    """Return the faults of such a file, each whole."""
    return [str(fault) for fault in project_of(folder, *tables).faults]


def test_each_source_may_have_one(tmp_path: Path) -> None:
    """Of a class with settings of its own, which it is none of, and of the files."""
    tables = "[plugins.Tuned]\naddress = 'here'\nrefresh = '10s'", "[plugins.toml]\nrefresh = 60"
    project = project_of(tmp_path, *tables)
    assert project.faults == ()
    assert {name: one.refresh for name, one in project.snapshots.items()} == {"Tuned": 10.0, "toml": 60.0}


def test_an_instance_under_another_name_has_its_own(tmp_path: Path) -> None:
    """It is a source of its own."""
    project = project_of(tmp_path, "[plugins.other]\nuse = 'Tuned'\nrefresh = '2m'")
    assert project.faults == ()
    found = {name: one.refresh for name, one in project.snapshots.items()}
    assert found == {"Tuned": 30.0, "other": 120.0, "toml": math.inf}


def test_a_misspelt_one_is_told_with_the_right_one(tmp_path: Path) -> None:
    """It is not among the plugin's own settings, and is named with them all the same."""
    assert refusals_of(tmp_path, "[plugins.Tuned]\nrefersh = '10s'") == [
        'error[config-unknown-key]: plugin "Tuned" has no setting "refersh"\n'
        "  where: ujr.toml:4, plugins.Tuned.refersh\n"
        '  fix:   did you mean "refresh"?'
    ]
    (refusal,) = refusals_of(tmp_path, "[plugins.Tuned]\ncolour = 1")
    assert refusal.endswith("  fix:   it knows: address, refresh, use")


def test_a_plugin_that_is_no_source_has_none(tmp_path: Path) -> None:
    """Nobody would ever ask it, and who wrote it is told."""
    assert refusals_of(tmp_path, "[plugins.env]\nrefresh = '10s'") == [
        'error[config-unknown-key]: plugin "env" has no setting "refresh": it is no config source\n'
        "  where: ujr.toml:4, plugins.env.refresh\n"
        "  fix:   remove it: there are none"
    ]


@pytest.mark.parametrize("name", ["Tuned", "toml"])
@pytest.mark.parametrize(
    ("value", "said"),
    [
        (
            '"often"',
            'error[config-duration]: plugin "{}" has no duration for "refresh": \'often\' is no duration; '
            'write a number of seconds, or text such as "500ms", "30s", "5m"',
        ),
        (
            "-1",
            'error[config-duration]: plugin "{}" has no duration for "refresh": '
            "-1 is no duration: it must be finite and not negative",
        ),
        (
            "true",
            'error[config-duration]: plugin "{}" has no duration for "refresh": True is no duration; '
            'write a number of seconds, or text such as "500ms", "30s", "5m"',
        ),
        ("0", 'error[config-wrong-value]: plugin "{}" has a wrong value for "refresh": 0 s is less than 0.1 s'),
    ],
)
def test_one_that_is_no_duration_is_refused(tmp_path: Path, name: str, value: str, said: str) -> None:
    """With its line, whichever source it is of; the plugin itself never sees it."""
    assert refusals_of(tmp_path, f"[plugins.{name}]\nrefresh = {value}") == [
        f'{said.format(name)}\n  where: ujr.toml:4, plugins.{name}.refresh\n  fix:   write for example "30s"'
    ]


def test_the_reference_has_the_times_of_the_code() -> None:
    """The paragraph on refresh names what is in force."""
    text = " ".join(section("docs/reference/configuration.md", "[plugins.NAME]").split())
    assert f"at least {LEAST_REFRESH * 1000:g} ms" in text
    assert f"by default {REFRESH:g} s" in text
    assert f"after {FIRST_WAIT:g}, {2 * FIRST_WAIT:g}, {4 * FIRST_WAIT:g} … {LONGEST_WAIT:g} s" in text
    assert POLL == 1.0
    assert "each second" in text
