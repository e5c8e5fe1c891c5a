"""Each promise of a contract is shown to catch a plugin that breaks it; see `tests.breaches`."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests import breaches
from ujr_core.testing import (
    ConfigSourceContract,
    ExecutorContract,
    JobContract,
    ReporterContract,
    SecretProviderContract,
)
from ujr_core.testing.contracts.plugin import contract_tests

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CONTRACTS = (ConfigSourceContract, ExecutorContract, JobContract, ReporterContract, SecretProviderContract)
RIGHT = [f"TestRight::{test}" for test in sorted(contract_tests(breaches.TestRight))]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Run each breach once, in one pytest; return "" for a test that passed, else why not."""
    report = tmp_path_factory.mktemp("breaches") / "report.xml"
    wanted = [f"{cls.__name__}::{test}" for cls, test, _ in breaches.BREACHES] + RIGHT
    nodes = [f"tests/breaches.py::{name}" for name in wanted]
    # As authors load it, so that pytest rewrites the contracts, and prints what they compare.
    arguments = ["-q", "-p", "ujr_core.testing", "-p", "no:cacheprovider", f"--junitxml={report}", *nodes]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert report.exists(), done.stdout + done.stderr
    cases = ET.parse(report).iter("testcase")
    return {f"{case.get('classname', '').rpartition('.')[2]}::{case.get('name')}": _why(case) for case in cases}


def _why(case: ET.Element) -> str:
    return "\n".join(f"{part.get('message')}\n{part.text}" for part in case if part.tag in ("failure", "error"))


@pytest.mark.parametrize(
    ("cls", "test", "text"), breaches.BREACHES, ids=[f"{cls.__name__}-{test}" for cls, test, _ in breaches.BREACHES]
)
def test_a_breach_is_caught(outcomes: dict[str, str], cls: type, test: str, text: str) -> None:
    """A plugin that breaks a promise fails the test of that promise, with a text that says what is wrong."""
    assert text in outcomes[f"{cls.__name__}::{test}"]


@pytest.mark.parametrize(
    ("cls", "test"), [(cls, test) for cls, test, _ in breaches.BREACHES if issubclass(cls, SecretProviderContract)]
)
def test_no_failure_shows_the_value_of_a_secret(outcomes: dict[str, str], cls: type, test: str) -> None:
    """Output of tests ends up in logs that many read: whatever a provider does wrong, its value is not in there."""
    assert breaches.VALUE not in outcomes[f"{cls.__name__}::{test}"]


@pytest.mark.parametrize("name", RIGHT)
def test_a_plugin_that_keeps_its_promises_passes(outcomes: dict[str, str], name: str) -> None:
    """What the breaches break is theirs alone: the plugin that they are made from passes."""
    assert outcomes[name] == ""


@pytest.mark.parametrize("contract", CONTRACTS)
def test_each_promise_has_a_breach(contract: type) -> None:
    """No test of a contract is there that has never been seen to fail."""
    broken = {test for cls, test, _ in breaches.BREACHES if issubclass(cls, contract)}
    of_every_plugin = {test for _, test, _ in breaches.BREACHES}
    own = {name for name in vars(contract) if name.startswith("test_")}
    assert own <= broken
    assert contract_tests(contract) - own <= of_every_plugin
