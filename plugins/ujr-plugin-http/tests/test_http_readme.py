"""The README is true."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import attrs
import pytest
from document_server import DocumentServer, reply
from http_fixtures import refusal, source_of, start_in, ujr

import ujr_plugin_http
from ujr_core import Runner
from ujr_plugin_http import Http
from ujr_plugin_http.credential import Credential

README = Path(__file__).parents[1] / "README.md"
URL = "https://config.example.org/jobs.toml"


def blocks(language: str) -> list[str]:
    """Return the code of the README in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README.read_text(), re.DOTALL | re.MULTILINE)


def rows(heading: str) -> dict[str, list[str]]:
    """Return the rows of the table below a heading: first cell to the others."""
    text = README.read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line.strip("| ") for line in text.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.split(" | ")] for line in lines]
    return {first.strip("`"): others for first, *others in cells}


def test_every_setting_has_a_row_with_its_default() -> None:
    """Each field of the settings is documented, and no other, with the default of the code where it is a value."""
    documented = rows("Settings")
    fields = attrs.fields_dict(Http.Settings)
    assert list(documented) == list(fields)
    for name, (_, default, _) in documented.items():
        value: Any = fields[name].default
        value = value.factory() if hasattr(value, "factory") else value
        assert default == f"`{str(value).lower()}`" if value not in (None, ()) else "`" not in default, name


def test_every_code_has_a_row() -> None:
    """Each code of its own that the plugin raises is in the table, and no other."""
    folder = Path(ujr_plugin_http.__file__).parent
    raised = {code for path in folder.glob("*.py") for code in re.findall(r'"(http-[a-z-]+)"', path.read_text())}
    assert set(rows("Errors")) == raised


@pytest.mark.parametrize("number", [0, 2])
def test_the_configurations_have_no_fault(
    number: int, server: DocumentServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are taken as they stand by a runner that has the plugin, but for whom they ask."""
    server.answer = reply("jobs = {}", Content_Type="application/toml")
    text = re.sub(
        r"https://(config|north)\.example\.org", server.url.removesuffix("/jobs.toml"), blocks("toml")[number]
    )
    (tmp_path / "token").write_text("t")
    (tmp_path / "ujr.toml").write_text(text.replace("/etc/ujr/config-token", "token").replace('"json"', '"toml"'))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NORTH_API_KEY", "k")
    project = Runner("ujr.toml").project
    project.registry.close(lambda error: pytest.fail(str(error)))
    assert project.faults == ()
    proofs = [asked.headers.get("authorization") or asked.headers.get("x-api-key") for asked in server.asked]
    assert proofs == (["Bearer t"] if number == 0 else [None, "k"])


def test_the_session_is_what_a_person_sees(server: DocumentServer, tmp_path: Path) -> None:
    """The document of the README, read by the first configuration of it, gives what is shown below it."""
    ((session,), (_, document, _)) = blocks("console"), blocks("toml")
    (tmp_path / "ujr.toml").write_text(f'[plugins.http]\nurl = "{server.url}"\nplugins = ["command"]\n')
    server.answer = reply(document)
    command, _, shown = session.partition("\n")
    code, text = ujr(tmp_path, *command.removeprefix("$ ujr ").split())
    assert (code, text.replace(server.url, URL)) == (3, shown)


def test_the_error_reads_as_shown(server: DocumentServer, tmp_path: Path) -> None:
    """What the README shows of an error is what a token gives that is refused."""
    server.answer = reply(status=401)
    error = refusal(source_of(server, token=Credential(env="TOKEN")), start_in(tmp_path, TOKEN="t"))
    assert f"{error}\n".replace(server.url, URL) in blocks("text")
