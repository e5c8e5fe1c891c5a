"""Claims of names: whose plugin a name is, before any of them is imported."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import attrs

from ujr_core.configuration.settings import Main
from ujr_core.errors import PluginError
from ujr_core.registry.candidate import Candidate
from ujr_core.registry.pick import Pick


@attrs.frozen
class Rules:
    """What a person says of names.

    Args:
        picks: whose plugin is meant where several claim a name.
        disabled: names, and picks of single claimants, that are not imported.
        place: where they are disabled.
    """

    picks: tuple[Pick, ...] = ()
    disabled: tuple[str, ...] = ()
    place: str = "disable_plugins"

    @classmethod
    def of(cls, main: Main, texts: Iterable[str]) -> Rules:
        """Read ``[runner]``, and texts that stand beside its ``plugins``."""
        picks = dict.fromkeys(filter(None, map(Pick.read, [*main.runner.plugins, *texts])))
        place = f"disable_plugins in {main.path.name}" if main.path else "disable_plugins"
        return cls(tuple(picks), main.runner.disable_plugins, place)

    def has_picked(self, candidate: Candidate) -> bool:
        """Say whether it is meant, whoever else claims its name."""
        return any(pick.fits(candidate) for pick in self.picks)

    def has_disabled(self, candidate: Candidate) -> bool:
        """Say whether its name is disabled, or it alone."""
        alone = filter(None, map(Pick.read, self.disabled))
        return candidate.name in self.disabled or any(pick.fits(candidate) for pick in alone)


@attrs.frozen(eq=False)
class Claim:
    """What came of one claim.

    Args:
        candidate: that claims its name.
        reason: why it is left out as a person wished; "" if it is not.
        error: why it cannot have the name; None if it can.
    """

    candidate: Candidate
    reason: str = ""
    error: PluginError | None = None

    @property
    def is_granted(self) -> bool:
        """Say whether it may be imported."""
        return not self.reason and self.error is None


def judged(candidates: Iterable[Candidate], rules: Rules) -> Iterator[Claim]:
    """Judge every claim, in the order of names, and of one name in the order of who claims it."""
    by_name: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        by_name[candidate.name].append(candidate)
    for name in sorted(by_name):
        yield from _judged(sorted(by_name[name], key=lambda one: one.source), rules)


def owner(name: str, candidates: Iterable[Candidate], rules: Rules) -> Candidate | None:
    """Return whose plugin a name means, or "name@distribution"; None if nobody's, or of several nobody was picked."""
    pick = Pick.read(name)
    claims = [one for one in candidates if (pick.fits(one) if pick else one.name == name)]
    # A name that is disabled may still be used under another.
    names_on = attrs.evolve(rules, disabled=tuple(text for text in rules.disabled if Pick.read(text)))
    granted = [claim.candidate for claim in _judged(claims, names_on) if claim.is_granted]
    return granted[0] if granted else None


def _judged(claims: Sequence[Candidate], rules: Rules) -> Iterator[Claim]:
    yield from (Claim(one, f"by {rules.place}") for one in claims if rules.has_disabled(one))
    rest = [one for one in claims if not rules.has_disabled(one)]
    picks = [pick for pick in rules.picks if claims and pick.name == claims[0].name]
    if any(one.is_built_in for one in rest):
        yield from (Claim(one, error=None if one.is_built_in else _built_in(one, rules)) for one in rest)
    elif picks:
        yield from _picked(rest, rules, picks)
    else:
        yield from (Claim(one, error=_conflict(one, rest)) for one in rest)


def _picked(claims: Sequence[Candidate], rules: Rules, picks: Sequence[Pick]) -> Iterator[Claim]:
    picked = [one for one in claims if rules.has_picked(one)]
    said = " and ".join(map(str, picks))
    for one in claims:
        if one in picked:
            yield Claim(one, error=_conflict(one, picked))
        else:
            yield Claim(one, f"{said} {'is' if len(picks) == 1 else 'are'} picked")


def _built_in(candidate: Candidate, rules: Rules) -> PluginError:
    belongs = "the name belongs to a built-in plugin"
    if rules.has_picked(candidate):
        return _error(candidate, f"{belongs}, against a pick, too", f'remove "{Pick.of(candidate)}" from plugins')
    pick = Pick.of(candidate)
    fix = f'pip uninstall {pick.distribution}, or disable_plugins = ["{pick}"] in [runner]' if pick else ""
    return _error(candidate, belongs, fix or "give it another name")


def _conflict(candidate: Candidate, claims: Sequence[Candidate]) -> PluginError | None:
    others = sorted(one.source for one in claims if one is not candidate)
    if not others:
        return None
    return _error(candidate, f"its name is claimed by {' and '.join(others)} too", _pick_one(claims))


def _pick_one(claims: Sequence[Candidate]) -> str:
    picks = sorted(str(pick) for pick in map(Pick.of, claims) if pick)
    if not picks:
        return "give each a name of its own"
    lines = " or ".join(f'plugins = ["{pick}"]' for pick in picks)
    if len(picks) == len(claims):
        return f"pick one: {lines} in [runner]"
    off = ", ".join(f'"{pick}"' for pick in picks)
    return f"pick one: {lines} or disable_plugins = [{off}] in [runner]"


def _error(candidate: Candidate, why: str, fix: str) -> PluginError:
    what = f'plugin "{candidate.name}" of {candidate.source} was not loaded: {why}'
    return PluginError("plugin-conflict", what, candidate.source, fix)
