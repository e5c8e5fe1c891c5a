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


PYTHONS = [version for version in ("3.11", "3.12", "3.13", "3.14") if _is_there(f"python{version}")]


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the whole test suite on each Python that is there; further arguments go to pytest."""
    session.install("-e", ".[test]")
    session.run("pytest", *session.posargs)


@nox.session
def wheels(session: nox.Session) -> None:
    """Build the wheels of core and sample plugin, and use them in an empty environment."""
    session.install("-e", ".[test]")
    session.run("pytest", "-m", "wheels", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """See that the code is formatted, and that ruff finds nothing."""
    session.install("ruff>=0.9")
    session.run("ruff", "format", "--check")
    session.run("ruff", "check")


@nox.session
def types(session: nox.Session) -> None:
    """Check types, strictly, of core, tests and plugins."""
    session.install("-e", ".[dev]")
    session.run("mypy")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation; a warning is an error."""
    session.install("-e", ".[docs]")
    session.run("sphinx-build", "-W", "--keep-going", "-b", "html", "docs", "docs/_build/html")


@nox.session
def bench(session: nox.Session) -> None:
    """Measure, beside something known in the same run, what users feel; each prints a table."""
    session.install(".")
    session.run("python", "tests/benchmarks/startup.py", *session.posargs)


@nox.session
def build(session: nox.Session) -> None:
    """Build wheel and sdist into dist/, and see that the wheel installs and starts by itself."""
    session.install("build>=1.2")
    shutil.rmtree("dist", ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", "dist")
    session.run("python", "-m", "venv", "--clear", str(session.create_tmp()))
    fresh = f"{session.create_tmp()}/bin"
    session.run(f"{fresh}/pip", "install", "-q", *map(str, Path("dist").glob("*.whl")), external=True)
    session.run(f"{fresh}/ujr", "--version", external=True)
