"""A project of one good job, and of every broken plugin."""

from __future__ import annotations

import pathlib

from tests.process.broken_plugins import BROKEN

GOOD_TASKS = 12

GOOD_JOB = f"""
import os
from ujr_core import JobDone, Task, hookimpl

@hookimpl
def get_runnable_tasks(job):
    for number in range({GOOD_TASKS}):
        yield Task(note, (number, job.params["folder"]), label=str(number))
    raise JobDone

def note(number, folder):
    with open(os.path.join(folder, "done"), "a") as file:
        file.write(f"{{number}} {{os.getcwd()}}\\n")
"""

BAD_JOB = """
from ujr_core import JobDone, Task, hookimpl

@hookimpl
def get_runnable_tasks(job):
    yield Task(fail)
    raise JobDone

def fail():
    raise ValueError("as ever")
"""


def write_project(folder: pathlib.Path, *, disabled: tuple[str, ...] = (), more: str = "") -> None:
    """Write the modules and the configuration; each module touches a file in "imported" when it is imported.

    Args:
        folder: that exists.
        disabled: names of plugins.
        more: is added to the configuration.
    """
    (folder / "imported").mkdir()
    for name, broken in BROKEN.items():
        (folder / f"{name}.py").write_text(broken.code)
    (folder / "good_job.py").write_text(GOOD_JOB)
    (folder / "bad_job.py").write_text(BAD_JOB)
    plugins = ["good_job", "bad_job", *(broken.target or name for name, broken in BROKEN.items())]
    (folder / "ujr.toml").write_text(_configuration(folder, plugins, disabled) + more)


def _configuration(folder: pathlib.Path, plugins: list[str], disabled: tuple[str, ...]) -> str:
    jobs = {name: name for name, broken in BROKEN.items() if broken.has_job} | {"bad": "bad_job"}
    return "\n".join(
        [
            "[runner]",
            f"plugins = {plugins}",
            f"disable_plugins = {list(disabled)}",
            'workers = 2\nfetch_timeout = "500ms"\nshutdown_timeout = "10s"',
            f'[jobs.good]\nplugin = "good_job"\nparams.folder = "{folder}"',
            *(f'[jobs.{name}]\nplugin = "{plugin}"\ncheck_interval = "200ms"' for name, plugin in jobs.items()),
            "",
        ]
    )
