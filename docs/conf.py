"""How the documentation is built: Markdown pages, and the contracts of the code read from the code itself."""

from __future__ import annotations

import pathlib
import sys

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_ext")]

project = "UJR"
author = "the UJR authors"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "hook_pages"]
exclude_patterns = ["_build", "_ext", "examples"]

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
default_role = "code"  # what stands in single backticks in a docstring is a name
nitpicky = False
autodoc_typehints = "signature"
autodoc_member_order = "bysource"

html_theme = "furo"
html_static_path = ["_static"]
html_title = "UJR"
