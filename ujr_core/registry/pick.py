"""`Pick`: "name@distribution", which says whose plugin is meant where several claim its name."""

from __future__ import annotations

import re

import attrs

from ujr_core.registry.candidate import Candidate


@attrs.frozen
class Pick:
    """One claimant of one name.

    Args:
        name: that is claimed.
        distribution: of the claimant, as a person wrote it.
    """

    name: str
    distribution: str

    @classmethod
    def read(cls, text: str) -> Pick | None:
        """Read "name@distribution"; None if the text is anything else."""
        name, _, distribution = text.rpartition("@")
        return cls(name, distribution) if name and distribution else None

    @classmethod
    def of(cls, candidate: Candidate) -> Pick | None:
        """Return what picks a candidate; None if it comes with no distribution."""
        return cls(candidate.name, candidate.distribution) if candidate.distribution else None

    def __str__(self) -> str:
        return f"{self.name}@{self.distribution}"

    def fits(self, candidate: Candidate) -> bool:
        """Say whether a claimant is the one that is meant."""
        return candidate.name == self.name and normal(candidate.distribution or "") == normal(self.distribution)


def normal(distribution: str) -> str:
    """Return the name of a distribution as all spellings of it are compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", distribution).lower()
