"""The one tree of errors: each has a code, what happened, where, and one fix."""

from __future__ import annotations

from collections.abc import Iterable


class UJRError(Exception):
    """An error that a person reads; it is never raised for control flow.

    Args:
        code: stable, lower case with dashes; a heading in the error reference.
        what: one sentence, with the names in double quotes.
        where: file and line if known, always the key path or the plugin; "" if there is no place.
        fix: the one thing to do next; "" if none is known.
    """

    def __init__(self, code: str, what: str, where: str = "", fix: str = "") -> None:
        # Positional, so that the error survives pickling.
        super().__init__(code, what, where, fix)
        self.code, self.what, self.where, self.fix = code, what, where, fix

    def __str__(self) -> str:
        lines = [f"error[{self.code}]: {self.what}"]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.fix:
            lines.append(f"  fix:   {self.fix}")
        return "\n".join(lines)

    def as_warning(self) -> str:
        """Return the same, for a place where nothing ends because of it."""
        lines = str(self).split("\n")
        return "\n".join(f"warning[{line[6:]}" if line.startswith("error[") else line for line in lines)


class ConfigError(UJRError):
    """The configuration is wrong."""


class PluginError(UJRError):
    """A plugin cannot be loaded, or broke its contract."""


class SecretError(UJRError):
    """A secret cannot be had, or was used in a way that would show it."""


class TaskError(UJRError):
    """A task cannot be run as it was written."""


class InternalError(UJRError):
    """Our bug, please report it."""


class StateError(UJRError):
    """The state folder cannot be used."""


class SecretNotFound(SecretError):
    """The provider answered, and there is no such secret."""


class SecretDenied(SecretError):
    """The provider answered, and this runner may not read the secret."""


class ProviderMisconfigured(SecretError):
    """The provider cannot work as it is configured; trying again does not help."""


class ProviderAuthFailed(SecretError):
    """The provider refuses the runner itself; another credential may appear."""


class ProviderUnavailable(SecretError):
    """The provider does not answer now; unavailable is not missing, so the job waits."""


class Faults(UJRError):
    """All faults that one pass found, shown together.

    Args:
        faults: at least one, in the order of the files they stand in.
    """

    def __init__(self, faults: tuple[UJRError, ...]) -> None:
        first = faults[0]
        super().__init__(first.code, first.what, first.where, first.fix)
        self.args = (faults,)
        self.faults = faults

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Suggest the nearest known word, or "" if none is near."""
    import difflib  # only a mistake pays for it

    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f'did you mean "{near[0]}"?' if near else ""
