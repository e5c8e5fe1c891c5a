"""`PluginRecord`: what became of one plugin."""

from __future__ import annotations

from typing import Literal

import attrs

from ujr_core.errors import PluginError, UJRError

Status = Literal["loaded", "disabled", "failed", "conflict"]


@attrs.frozen(eq=False)
class PluginRecord:
    """One plugin, whether it loaded or not.

    Args:
        name: it is registered under.
        status: loaded; disabled (by configuration, not imported); failed; conflict (its name is another's).
        plugin: the module or object; None unless loaded.
        distribution: it was installed with; None for the built-in and the project's own.
        version: of the distribution.
        is_built_in: it comes with the core, so that all others may rely on it.
        origin: its file, "built in", or the text that names it as long as its file is not known.
        hooks: it implements, in the order of names.
        import_seconds: that loading it took; None if it was not tried.
        error: why it is not loaded; None if it is, or is disabled.
        reason: why it is disabled; "" if it is not.
        warnings: what it did that it should not; it is loaded all the same, unless there is an error, too.
    """

    name: str
    status: Status
    plugin: object | None = attrs.field(default=None, repr=False)
    distribution: str | None = None
    version: str | None = None
    is_built_in: bool = False
    origin: str = ""
    hooks: tuple[str, ...] = ()
    import_seconds: float | None = None
    error: UJRError | None = None
    reason: str = ""
    warnings: tuple[PluginError, ...] = ()

    @property
    def source(self) -> str:
        """Return the distribution with its version, or the origin."""
        return f"{self.distribution} {self.version or '?'}" if self.distribution else self.origin
