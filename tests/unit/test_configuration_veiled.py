"""A secret that somebody wrote in clear is refused, and no refusal shows it."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import attrs
import pytest

from ujr_core import Seconds, hookimpl
from ujr_core.configuration.jobs import consolidate
from ujr_core.configuration.settings import main_of
from ujr_core.configuration.structure import structure
from ujr_core.errors import Faults, UJRError
from ujr_core.registry import Registry
from ujr_core.registry.check import check_jobs
from ujr_core.values import Origin

CANARY = "s.hunter2"
LONG = 'has a wrong value for "passphrase": … is longer than 3 letters, and so is …'


@attrs.frozen
class Credential:
    """Where a secret is kept."""

    env: str | None = None


def _is_short(_: object, __: object, text: str) -> None:
    if len(text) > 3:
        raise ValueError(f"{text} is longer than 3 letters, and so is {text!r}")


@attrs.frozen
class Settings:
    """What a stranger's plugin may declare, some of it under names that sound secret."""

    place: Credential | None = None
    place_or_text: str | Credential = ""
    place_or_count: int | Credential = 0
    places: dict[str, Credential] = attrs.field(factory=dict)
    listed: tuple[Credential, ...] = ()
    token: int = 0
    api_key: str = ""
    PASSWORD: list[str] = attrs.field(factory=list)
    client_secret: Path = Path()
    credentials: dict[str, int] = attrs.field(factory=dict)
    key_kind: Literal["a", "b"] = "a"
    key_ttl: Seconds = 1.0
    passphrase: str = attrs.field(default="", validator=_is_short)
    word: str = attrs.field(default="", validator=_is_short)
    count: int = 0


def refusal_of(key: str, value: object) -> str:
    """Return the whole text of the only fault of settings in which a key has a value."""
    with pytest.raises(Faults) as caught:
        structure(Settings, {key: value}, Origin("ujr.toml"), ("plugins", "p"))
    (fault,) = caught.value.faults
    return str(fault)


@pytest.mark.parametrize(
    ("key", "value", "what"),
    [
        ("place", CANARY, 'wants a table for "place", not text'),
        ("place", [CANARY], 'wants a table for "place", not an array'),
        ("place", datetime.date(2026, 1, 1), 'wants a table for "place", not a date or a time'),
        ("place", 5, 'wants a table for "place", not 5'),
        ("place_or_text", [CANARY], 'wants text or a table for "place_or_text", not an array'),
        ("place_or_count", CANARY, 'wants a whole number or a table for "place_or_count", not text'),
        ("places", CANARY, 'wants a table for "places", not text'),
        ("places", {"a": CANARY}, 'wants a table for "places.a", not text'),
        ("listed", [CANARY], 'wants a table for "listed[0]", not text'),
    ],
)
def test_what_stands_in_place_of_a_table_is_named_by_its_kind(key: str, value: object, what: str) -> None:
    """Whoever does not know that a table says where the secret is writes the secret itself."""
    said = refusal_of(key, value)
    assert said.startswith(f'error[config-wrong-type]: plugin "p" {what}\n  where: ujr.toml, plugins.p.{key}')
    assert CANARY not in said


@pytest.mark.parametrize(
    ("key", "value", "what"),
    [
        ("token", CANARY, 'wants a whole number for "token", not text'),
        ("token", True, 'wants a whole number for "token", not true'),
        ("token", None, 'wants a whole number for "token", not nothing'),
        ("api_key", 271828, 'wants text for "api_key", not a number'),
        ("api_key", {"value": CANARY}, 'wants text for "api_key", not a table'),
        ("api_key", {CANARY.encode()}, 'wants text for "api_key", not an array'),
        ("PASSWORD", CANARY, 'wants an array for "PASSWORD", not text'),
        ("PASSWORD", [271828], 'wants text for "PASSWORD[0]", not a number'),
        ("client_secret", [CANARY], 'wants a path for "client_secret", not an array'),
        ("credentials", {"db": CANARY}, 'wants a whole number for "credentials.db", not text'),
        ("key_kind", CANARY, 'wants one of "a", "b" for "key_kind", and this is none'),
        ("key_ttl", CANARY, 'has no duration for "key_ttl"'),
        ("passphrase", CANARY, LONG),
        ("passphrase", "a'\"\\\n" + CANARY, LONG),
    ],
)  # fmt: skip
def test_what_a_key_that_sounds_secret_has_is_not_shown(key: str, value: object, what: str) -> None:
    """Neither by the core nor in the words of the plugin, wherever in the path that key is."""
    said = refusal_of(key, value)
    assert said.partition("]: ")[2].startswith(f'plugin "p" {what}\n')
    assert CANARY not in said
    assert "271828" not in said


def test_what_sounds_like_nothing_is_shown() -> None:
    """A typing error is found by what was typed."""
    assert 'wants a whole number for "count", not "s.hunter2"\n' in refusal_of("count", CANARY)
    assert ": s.hunter2 is longer than 3 letters, and so is 's.hunter2'\n" in refusal_of("word", CANARY)


@pytest.mark.parametrize(
    "tables",
    [
        {"plugins": CANARY},
        {"plugins": {"vault": CANARY}},
        {"jobs": CANARY},
        {"limits": {"api": CANARY}},
        {"runner": [CANARY]},
    ],
)
def test_a_text_in_place_of_a_table_of_the_file_is_not_shown(tables: dict[str, Any]) -> None:
    """It may be a secret whose key was forgotten."""
    (fault,) = main_of(tables, Path()).faults
    assert fault.code == "config-wrong-type"
    assert CANARY not in str(fault)


class Worker:
    """A job plugin, which supplies no secret."""

    @hookimpl
    def get_runnable_tasks(self, job: Any) -> None:
        """Nothing to do."""


@pytest.fixture
def faults_with() -> Iterator[Callable[[dict[str, Any]], list[UJRError]]]:
    """Return what says what is wrong with a job that has these params."""
    main = main_of({"runner": {"disable_plugins": ["log", "file"]}}, Path())
    registry = Registry.load(main=main, extra=(Worker,), discover=False)

    def faults(params: dict[str, Any]) -> list[UJRError]:
        result = consolidate([("src", {"j": {"plugin": "Worker", "params": params}})], main.runner)
        return [*result.faults, *check_jobs(result.checkable, registry)]

    yield faults
    registry.close(str)


@pytest.mark.parametrize(
    ("reference", "what", "fix"),
    [
        ("evn:A", 'names a secret of "evn" for "deep.key", but there is no plugin "evn"', 'did you mean "env"?'),
        ("Env:A", 'names a secret of "Env" for "deep.key", but there is no plugin "Env"', 'did you mean "env"?'),
        (
            f"azure:{CANARY}",
            'names a secret of "azure" for "deep.key", but there is no plugin "azure"',
            "pip install ujr-plugin-azure, or add it to plugins in [runner]",
        ),
        (
            f"file:{CANARY}",
            'names a secret of "file" for "deep.key", but plugin "file" is disabled',
            "remove it from disable_plugins in [runner]",
        ),
        (
            f"Worker:{CANARY}",
            'names a secret of "Worker" for "deep.key", which supplies none',
            "name a plugin that has fetch_job_details",
        ),
        (
            f"{CANARY}:{CANARY}",
            'names a secret for "deep.key" that no plugin supplies',
            'write its provider before the colon, for example { secret = "env:NAME" }',
        ),
        (
            f"hvs-Aq9{CANARY}:x",
            'names a secret for "deep.key" that no plugin supplies',
            'write its provider before the colon, for example { secret = "env:NAME" }',
        ),
    ],
)
def test_a_secret_in_place_of_its_reference_is_not_shown(
    faults_with: Callable[[dict[str, Any]], list[UJRError]], reference: str, what: str, fix: str
) -> None:
    """One with a colon in it looks like a reference; the key is shown, and of the text only what may name a plugin."""
    (fault,) = faults_with({"deep": {"key": {"secret": reference}}})
    assert str(fault) == (
        f'error[config-secret-provider]: job "j" {what}\n  where: src, jobs.j.params.deep.key\n  fix:   {fix}'
    )
    assert CANARY not in str(fault)


def test_each_reference_is_found_where_it_stands(
    faults_with: Callable[[dict[str, Any]], list[UJRError]],
) -> None:
    """In arrays and in templates, too; one that is right is no fault."""
    reference = {"secret": "nobody:a"}
    faults = faults_with({"a": [1, reference], "b": {"template": "{pw}", "pw": reference}, "c": {"secret": "env:A"}})
    assert [fault.where for fault in faults] == ["src, jobs.j.params.a[1]", "src, jobs.j.params.b.pw"]
    assert CANARY not in json.dumps([str(fault) for fault in faults])
