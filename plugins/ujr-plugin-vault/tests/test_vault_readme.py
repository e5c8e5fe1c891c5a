"""The README is true."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import attrs
import pytest
from vault_fixtures import Provide, refusal
from vault_server import SmallVault

import ujr_plugin_vault
from ujr_core import Runner
from ujr_plugin_vault import Vault

README = Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(r"^```toml\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def rows(heading: str) -> dict[str, list[str]]:
    """Return the rows of the table below a heading: first cell to the others."""
    text = README.read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line.strip("| ") for line in text.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.split(" | ")] for line in lines]
    return {first.strip("`"): others for first, *others in cells}


def test_every_setting_has_a_row_with_its_default() -> None:
    """Each field of the settings is documented, and no other, with the default of the code where it is a value."""
    documented = rows("Settings")
    fields = attrs.fields_dict(Vault.Settings)
    assert list(documented) == list(fields)
    for name, (_, default, _) in documented.items():
        value: Any = fields[name].default
        assert default == f"`{str(value).lower()}`" if value is not None else default, name


def test_every_code_has_a_row() -> None:
    """Each code that the plugin raises is in the table, and no other."""
    folder = Path(ujr_plugin_vault.__file__).parent
    raised = {code for path in folder.glob("*.py") for code in re.findall(r'"(secret-[a-z-]+)"', path.read_text())}
    assert set(rows("Errors")) == raised


@pytest.mark.parametrize("number", [0, 1])
def test_the_configurations_have_no_fault(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are taken as they stand by a runner that has the plugin."""
    (tmp_path / "ujr.toml").write_text(BLOCK.findall(README.read_text())[number])
    monkeypatch.chdir(tmp_path)
    project = Runner("ujr.toml").project
    project.registry.close(lambda error: pytest.fail(str(error)))
    assert project.faults == ()


def test_the_error_reads_as_shown(small: SmallVault, provide: Provide) -> None:
    """What the README shows of an error is what a misspelt field gives, in the words of this version."""
    small.put("kv/weather", api_key="k", user="u")
    error = refusal(provide(small), "vault:kv/weather#api_kee")
    shown = README.read_text()
    assert f"error[{error.code}]: {error.what}\n" in shown
    assert f"; {error.where}\n  fix:   {error.fix}\n" in shown
