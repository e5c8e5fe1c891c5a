"""The how-to pages of plugins are true: each is typed from the first line to the last."""

from __future__ import annotations

import pathlib
import shutil

import pytest

from tests.docs.reader import follow, newcomer, typed, write_files
from tests.process.faults.processes import poll_until
from tests.process.ujr_process import PATIENCE, started
from ujr_core.control.client import ask
from ujr_core.control.wire import Request

_LONG = pytest.param("write-an-executor", marks=pytest.mark.slow)  # it runs a whole contract with processes
PAGES = ("package-a-plugin", _LONG, "test-a-plugin", "debug-a-plugin", "wrap-a-hook", "limits-and-retry-after")
EXPLAINING = "docs/how-to/why-is-it-not-running.md"
PROVIDER = "from ujr_core import hookimpl\n\n@hookimpl\ndef fetch_job_details(job):\n    return None\n"


@pytest.fixture
def project(project: pathlib.Path) -> pathlib.Path:
    """Return the folder of a project, as ``ujr init`` writes it."""
    typed("ujr init", project)
    return project


def put(site: pathlib.Path, distribution: str, name: str) -> None:
    """Put an installed distribution with one plugin into a folder."""
    module = distribution.replace("-", "_")
    info = site / f"{module}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[ujr]\n{name} = {module}\n")
    (site / f"{module}.py").write_text(PROVIDER)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_true(page: str, project: pathlib.Path) -> None:
    """In a project that init wrote, it shows what it says."""
    with_workers = newcomer(project) | {"UJR_RUNNER_WORKERS": "4"}  # however many processors there are
    follow(f"docs/how-to/{page}.md", project, with_workers)


def test_the_page_of_explaining_is_true(project: pathlib.Path) -> None:
    """Beside a runner of the page's own project it shows what it says."""
    write_files(EXPLAINING, project)
    for _ in range(20):  # on a busy machine the two runs may end so far apart that the job is asked in between
        shutil.rmtree(project / ".ujr", ignore_errors=True)
        with started(project, "run") as runner:
            runner.wait_said("stations: bergen failed")
            poll_until(lambda: "over" in _verdicts(project))
            if _verdicts(project) == {"started": 2, "over": 1, "backing off": 1}:
                follow(EXPLAINING, project)
                return
    raise AssertionError("the two runs never ended together")


def _verdicts(project: pathlib.Path) -> dict[str, int]:
    explanation = ask(project / ".ujr", Request("explain", "stations"), patience=PATIENCE)["explanation"]
    return {verdict: count for verdict, count in explanation["verdicts"].items() if count}


def test_the_page_of_disabling_is_true(project: pathlib.Path) -> None:
    """Where one plugin is unwanted, and two claim one name, it shows what it says."""
    site = project.parent / "site"
    for distribution, name in (("ujr-mail", "mail"), ("ujr-vault-one", "vault"), ("ujr-vault-two", "vault")):
        put(site, distribution, name)
    follow("docs/how-to/disable-a-plugin.md", project, newcomer(project, site))
