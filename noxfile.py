"""The menu of everything a developer does: ``nox -l`` lists it, ``nox -s NAME`` does it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import nox

nox.needs_version = ">=2024.10"
nox.options.sessions = ["tests", "lint", "types", "docs"]
nox.options.error_on_missing_interpreters = False


def _is_there(python: str) -> bool:
    # Version managers put a name on PATH for each Python, also for those that are switched off.
    found = shutil.which(python)
    return found is not None and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0


PLUGINS = sorted(path.parent.name for path in Path("plugins").glob("*/pyproject.toml"))
PYTHONS = [version for version in ("3.11", "3.12", "3.13", "3.14") if _is_there(f"python{version}")]


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests, the slow ones too, on each Python that is there; further arguments go to pytest."""
    session.install("-e", ".[test]", *_editable_plugins())
    session.run("pytest", "-m", "not wheels", *session.posargs)


@nox.session
def slow(session: nox.Session) -> None:
    """Run the tests that the default run leaves out: each takes more than some four seconds."""
    session.install("-e", ".[test]", *_editable_plugins())
    session.run("pytest", "-m", "slow", *session.posargs)


@nox.session
def wheels(session: nox.Session) -> None:
    """Build the wheels of core and plugins, and use them in empty environments."""
    session.install("-e", ".[test]")
    session.run("pytest", "-m", "wheels", *session.posargs)


@nox.session
@nox.parametrize("plugin", PLUGINS, ids=PLUGINS)
def plugins(session: nox.Session, plugin: str) -> None:
    """Test a plugin alone, as it is published, beside the wheel of the core."""
    session.install("build>=1.2")
    wheels = Path(session.create_tmp()) / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    _build_wheels(session, wheels, ".", f"plugins/{plugin}")
    (wheel,) = wheels.glob(f"{plugin.replace('-', '_')}-*.whl")
    session.install("--find-links", str(wheels), f"{wheel}[test]")
    # Not the root's: what is tested is what was installed, and not what lies here.
    session.run("pytest", "-o", f"pythonpath=plugins/{plugin}/tests", f"plugins/{plugin}/tests", *session.posargs)


def _build_wheels(session: nox.Session, folder: Path, *projects: str) -> None:
    for project in projects:
        session.run("python", "-m", "build", "--wheel", "--outdir", str(folder), project)


def _editable_plugins() -> list[str]:
    return [argument for plugin in PLUGINS for argument in ("-e", f"plugins/{plugin}[test]")]


@nox.session
def mutants(session: nox.Session) -> None:
    """Seed the scheduler with bugs, one at a time on a copy, and see that each makes a test fail."""
    session.install("-e", ".[test]")
    session.run("python", "tests/mutants/run.py", *session.posargs)


@nox.session
def thorough(session: nox.Session) -> None:
    """Run the property tests on many more examples than the default run; further arguments go to pytest."""
    session.install("-e", ".[test]")
    everything = ("-m", "slow or not slow", "tests/property")
    session.run("pytest", *everything, *session.posargs, env={"UJR_HYPOTHESIS": "thorough"})


@nox.session
def lint(session: nox.Session) -> None:
    """See that the code is formatted, and that ruff finds nothing."""
    session.install("ruff>=0.9")
    session.run("ruff", "format", "--check")
    session.run("ruff", "check")


@nox.session
def types(session: nox.Session) -> None:
    """Check types, strictly, of core, tests and plugins."""
    session.install("-e", ".[dev]", *_editable_plugins())
    session.run("mypy")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation; a warning is an error."""
    session.install("-e", ".[docs,testing]")  # the page of ujr_core.testing imports it
    session.run("sphinx-build", "-W", "--keep-going", "-b", "html", "docs", "docs/_build/html")


@nox.session
def chaos(session: nox.Session) -> None:
    """Kill workers and runners at random, and judge from outside; arguments such as --kills 1000 --seed 7."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "tests.chaos", *session.posargs)


@nox.session
def chaos_peers(session: nox.Session) -> None:
    """Send the same nemesis against other pools, beside the runner; arguments such as --kills 100 --seed 7."""
    session.install("-e", ".[test]", "pebble>=5.2", "loky>=3.5")
    session.run("python", "-m", "tests.chaos.peers", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure, beside something known in the same run, what users feel; each prints a table.

    Arguments go to ``python -m tests.benchmarks``: ``-- --write`` puts its tables and the plot into the documentation,
    ``-- pools latency`` measures just these.
    """
    session.install("-e", ".[bench]")
    session.run("python", "-m", "tests.benchmarks", *session.posargs)
    if not session.posargs or session.posargs == ["--write"]:
        session.run("python", "tests/benchmarks/startup.py")
        session.run("python", "tests/benchmarks/hook_call.py")
        session.run("python", "tests/benchmarks/scheduler.py")


@nox.session
def build(session: nox.Session) -> None:
    """Build core and plugins into dist/, and see that the core's wheel installs and starts by itself."""
    session.install("build>=1.2")
    shutil.rmtree("dist", ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", "dist")
    _build_wheels(session, Path("dist"), *(f"plugins/{plugin}" for plugin in PLUGINS))
    session.run("python", "-m", "venv", "--clear", str(session.create_tmp()))
    fresh = f"{session.create_tmp()}/bin"
    session.run(f"{fresh}/pip", "install", "-q", *map(str, Path("dist").glob("ujr_core-*.whl")), external=True)
    session.run(f"{fresh}/ujr", "--version", external=True)
