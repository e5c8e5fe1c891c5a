"""The directive ``hook``: the contract of one hook, as it stands in the code."""

from __future__ import annotations

from contract import markdown
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class HookDirective(SphinxDirective):
    """Puts signature and docstring of the hook that is its argument."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the page's part."""
        return self.parse_text_to_nodes(markdown(self.arguments[0]))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("hook", HookDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
