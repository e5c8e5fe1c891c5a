"""Pages that hold: links lead somewhere, snippets run, and the two commands name what exists."""

from __future__ import annotations

import os
import pathlib
import re
import shlex
import subprocess
import sys

import pytest

from tests.docs.pages import DOCS, LINK, PAGES, REPOSITORY, anchors, blocks, read
from tests.docs.reader import follow, typed

TUTORIAL = "docs/tutorial/first-job.md"


def test_the_tutorial_is_true(project: pathlib.Path) -> None:
    """Typed from the first line to the last, the tutorial shows what it says."""
    follow(TUTORIAL, project)


@pytest.mark.parametrize("page", ["docs/reference/commands.md", "docs/reference/errors.md"])
def test_the_first_screen_of_a_reference_is_true(page: str, project: pathlib.Path) -> None:
    """What a page shows of the command line is what the command line shows, in a project that init wrote."""
    typed("ujr init", project)
    follow(page, project)


def test_the_plugin_of_the_readme_does_what_it_says(project: pathlib.Path) -> None:
    """At most fifteen lines of code: each file gets its checksum once, and the configuration has no fault."""
    follow("README.md", project)
    plugin = next(block for block in blocks("README.md") if block.kind == "python")
    assert len([line for line in plugin.text.splitlines() if line]) <= 15
    (project / "inbox").mkdir()
    (project / "inbox" / "data.csv").write_text("1,2\n")
    assert "ok: 1 job" in typed("ujr check", project)
    assert "checksums.write_checksum" in typed("ujr run --until-idle", project)
    assert typed("ujr run --until-idle", project) == ""
    digest = typed("sha256sum inbox/data.csv", project).split()[0]
    assert (project / "inbox" / "data.sha256").read_text() == digest


def test_the_script_of_the_python_page_runs(project: pathlib.Path) -> None:
    """A runner in five lines, beside the jobs that init wrote; and the refusal reads as shown."""
    typed("ujr init", project)
    follow("docs/reference/python.md", project)
    python = shlex.quote(sys.executable)
    assert "count-words: first.txt succeeded" in typed(f"{python} script.py", project)
    assert (project / "counts" / "first.csv").exists()
    (project / "own.py").write_text("from ujr_core import Task\ndef download(): ...\nTask(download)\n")
    refusal = next(block.text for block in blocks("docs/reference/python.md") if block.kind == "text")
    assert refusal in typed(f"{python} own.py", project)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_lead_somewhere(page: pathlib.Path) -> None:
    """Each link within the repository names a file that exists, and a heading of it."""
    for target in LINK.findall(page.read_text()):
        if target.startswith(("https://", "http://")):
            continue
        name, _, anchor = target.partition("#")
        linked = (page.parent / name).resolve() if name else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


def test_every_page_is_in_the_contents() -> None:
    """A page that no table of contents names would not be found."""
    named = {
        (page.parent / f"{line}.md").resolve()
        for page in PAGES
        for block in blocks(page)
        if block.kind == "{toctree}"
        for line in block.text.splitlines()
        if line and not line.startswith(":")
    }
    assert named == {page for page in PAGES if DOCS in page.parents} - {DOCS / "index.md"}


def test_the_two_commands_of_the_readme_name_what_exists() -> None:
    """Each is one line, and what it names of the repository is there."""
    run_census, run_tests = [block.text.strip() for block in blocks("README.md") if block.kind == "sh"]
    assert "\n" not in run_census + run_tests
    config = run_census.split("--config ")[1].split()[0]
    assert (REPOSITORY / config).is_file()
    assert run_tests.endswith("/pytest -n 2")
    assert "'.[test]'" in run_tests


def test_the_gate_runs_both_commands_of_the_readme() -> None:
    """It takes them from the README, in their order, so that what a newcomer types is what is tested."""
    script = read(".ci/run")
    (pattern,) = re.findall(r"grep '(.*)' README\.md", script)
    commands = [block.text.strip() for block in blocks("README.md") if block.kind == "sh"]
    assert [line for line in read("README.md").splitlines() if re.match(pattern, line)] == commands
    assert re.findall(r'bash -euo pipefail -c "\$\{lines\[(\d)\]\}"', script) == ["0", "1"]
    assert os.access(REPOSITORY / ".ci" / "run", os.X_OK)


def test_the_documentation_builds_without_a_warning(tmp_path: pathlib.Path) -> None:
    """Sphinx, if it is installed, builds every page, and each reference is found."""
    pytest.importorskip("sphinx")
    pytest.importorskip("myst_parser")
    pytest.importorskip("furo")
    html = tmp_path / "html"
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", str(DOCS), str(html)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    assert "If you raise" in (html / "reference" / "hooks" / "task_failed.html").read_text()
