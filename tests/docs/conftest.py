"""Fixtures of the tests of the documentation."""

from __future__ import annotations

import pathlib

import pytest


@pytest.fixture
def project(tmp_path: pathlib.Path) -> pathlib.Path:
    """Return an empty folder of a project."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder
