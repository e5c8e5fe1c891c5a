"""Configuration: read with places, structured strictly, all faults in one pass."""

from __future__ import annotations

import datetime
import enum
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import attrs
import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import toml_tables
from ujr_core.configuration.document import find
from ujr_core.configuration.jobs import Consolidation, consolidate, job_of
from ujr_core.configuration.lines import key_lines
from ujr_core.configuration.place import Place, dotted
from ujr_core.configuration.references import fill, read_references
from ujr_core.configuration.settings import RunnerSettings, main_of, read_main
from ujr_core.configuration.structure import structure
from ujr_core.configuration.tomlfile import read_toml
from ujr_core.durations import Seconds
from ujr_core.errors import ConfigError, Faults, UJRError
from ujr_core.secret import Secret, SecretRef, SecretTemplate
from ujr_core.values import Backoff, JobConfig, JobTable, Origin
from ujr_core.values.limits import Limit, Rate

CANARY = "hunter2-canary"
ORIGIN = Origin("ujr.toml")
RUNNER = RunnerSettings(check_interval=2.0)
Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Return a function that writes ujr.toml into the current folder."""
    monkeypatch.chdir(tmp_path)

    def put(text: str) -> Path:
        path = tmp_path / "ujr.toml"
        path.write_text(text)
        return path

    return put


def faults_of(call: Callable[[], object]) -> tuple[UJRError, ...]:
    """Return the faults that a call raises."""
    with pytest.raises(Faults) as caught:
        call()
    return caught.value.faults


def key_paths(value: object, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return the path of every key in nested tables and arrays."""
    items: list[tuple[str, object]] = []
    if isinstance(value, Mapping):
        items = list(value.items())
    elif isinstance(value, list):
        items = [(str(index), item) for index, item in enumerate(value)]
    return [found for key, item in items for found in ((*path, key), *key_paths(item, (*path, key)))]


TEXT = '''\
# a comment = 1
top = 1
[runner]  # [no.table]
plugins = [
    "a", # one
    "b]",
]
[jobs."a.b".params]
text = """
[not.a.table]
key = "x"
"""
literal = '\\'
inner = { x = 1, "y z" = { q = [1, { deep = 2 }] } }
dotted . "k\\u0041" = 1979-05-27 07:32:00
[[jobs.c.items]]
n = 1
[[jobs.c.items]]
n = 2
[jobs.c.items.sub]
m = 3
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 2),
        (("runner",), 3),
        (("runner", "plugins"), 4),
        (("runner", "plugins", "1"), 6),
        (("jobs",), 8),
        (("jobs", "a.b", "params", "text"), 9),
        (("jobs", "a.b", "params", "literal"), 13),
        (("jobs", "a.b", "params", "inner", "y z", "q", "1", "deep"), 14),
        (("jobs", "a.b", "params", "dotted", "kA"), 15),
        (("jobs", "c", "items", "0", "n"), 17),
        (("jobs", "c", "items", "1"), 18),
        (("jobs", "c", "items", "1", "sub", "m"), 21),
    ],
)
def test_each_key_has_its_line(path: tuple[str, ...], line: int) -> None:
    """Tables, dotted and quoted keys, arrays of tables and inline tables are all placed."""
    assert key_lines(TEXT)[path] == line


def test_what_looks_like_a_key_inside_a_string_is_none() -> None:
    """Text of several lines and comments add no keys."""
    assert not {("not",), ("key",), ("a",), ("no",)} & key_lines(TEXT).keys()


@given(toml_tables)
def test_every_key_of_a_written_table_is_placed(table: dict[str, Any]) -> None:
    """Whatever a TOML writer writes, each key has a line, and no line is made up."""
    text = tomli_w.dumps(table)
    lines = key_lines(text)
    assert set(key_paths(table)) <= lines.keys()
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())


@given(st.text(alphabet="[]{}=.,\"'\\#\n ab1", max_size=60) | st.text(max_size=60))
def test_the_scanner_never_raises(text: str) -> None:
    """Any text gives an answer, if only an empty one."""
    assert isinstance(key_lines(text), dict)


def test_the_scanner_survives_deep_nesting() -> None:
    """A bomb of brackets ends the scan and nothing else."""
    assert key_lines("a = " + "[" * 100_000)[("a",)] == 1


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"a = \n", "error[config-malformed]: this is not TOML: Invalid value\n  where: ujr.toml:1:5"),
        (
            b"a = 1\n\n[b",
            "error[config-malformed]: this is not TOML: Expected ']' at the end of a table declaration\n"
            "  where: ujr.toml:3",
        ),
        (
            b"a = 1\na = 2\n",
            "error[config-malformed]: this is not TOML: Cannot overwrite a value\n  where: ujr.toml:2:6",
        ),
        (
            b"a = " + b"[" * 100_000,
            "error[config-malformed]: the configuration is nested deeper than 100 levels\n"
            "  where: ujr.toml:1, a[0][0][0]…",
        ),
        (
            b"a = 1\n" + b".".join([b"k"] * 100_000) + b" = 1\n",  # of which a parser keeps every beginning
            "error[config-malformed]: the configuration is nested deeper than 100 levels\n"
            "  where: ujr.toml:2, k.k.k.k…",
        ),
        (
            b"[jobs.a]\n" + b".".join([b"k"] * 600) + b" = 1\n",
            "error[config-malformed]: the configuration is nested deeper than 100 levels\n"
            "  where: ujr.toml:2, jobs.a.k.k…",
        ),
        (
            b"a = " + b"[" * 120 + b"]" * 120,
            "error[config-malformed]: the configuration is nested deeper than 100 levels\n"
            "  where: ujr.toml:1, a[0][0][0]…",
        ),
        (
            b"a = 1\nb = '\xff'",
            "error[config-unreadable]: the configuration cannot be read: it is not UTF-8\n  where: ujr.toml:2",
        ),
    ],
    ids=["value", "end", "twice", "nested", "dots", "dotted", "deep", "utf-8"],
)
def test_a_malformed_file_is_one_error_with_its_place(write: Write, content: bytes, text: str) -> None:
    """What is no TOML gives code, place and fix, never a traceback of the parser."""
    path = write("")
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        read_toml(path)
    assert str(caught.value).startswith(text)
    assert caught.value.fix


def test_a_missing_file_names_the_command_that_writes_one(write: Write) -> None:
    """A missing file is its own error."""
    with pytest.raises(ConfigError) as caught:
        read_toml("nothing.toml")
    assert str(caught.value) == (
        "error[config-missing]: there is no such configuration file\n  where: nothing.toml\n"
        "  fix:   write one with: ujr init"
    )


@pytest.mark.parametrize("name", [".", "a\0b", "pipe", "/dev/zero"])
def test_what_cannot_be_opened_is_unreadable(write: Write, name: str) -> None:
    """A folder, a pipe that nobody writes to, a device without end, or a name with a NUL, is config-unreadable."""
    os.mkfifo(write("").with_name("pipe"))
    with pytest.raises(ConfigError) as caught:
        read_toml(name)
    assert caught.value.code == "config-unreadable"
    assert caught.value.fix


def test_a_pipe_is_told_in_four_parts(write: Write) -> None:
    """Whoever passed what is no file reads what it has to be."""
    os.mkfifo(write("").with_name("pipe"))
    with pytest.raises(ConfigError) as caught:
        read_toml("pipe")
    assert str(caught.value) == (
        "error[config-unreadable]: the configuration cannot be read: it is no regular file\n"
        "  where: pipe\n"
        "  fix:   name a file that this user may read"
    )


def test_a_mark_at_the_start_and_foreign_newlines_are_read(write: Write) -> None:
    """A file from another system, with a byte order mark and CRLF, is read with the same lines."""
    path = write("")
    path.write_bytes(b"\xef\xbb\xbfa = 1\r\nb = 2\r\n")
    table = read_toml(path)
    assert table.mapping == {"a": 1, "b": 2}
    assert table.origin.where(("b",)) == "ujr.toml:2"


def test_the_file_is_found_by_option_then_environment_then_folder(write: Write, tmp_path: Path) -> None:
    """--config goes before UJR_CONFIG, which goes before ./ujr.toml; without any there is none."""
    assert find(None, {}, tmp_path) is None
    path = write("")
    assert find(None, {}, tmp_path) == path
    assert find(None, {"UJR_CONFIG": ""}, tmp_path) == path
    assert find(None, {"UJR_CONFIG": "b.toml"}, tmp_path) == tmp_path / "b.toml"
    assert find("a.toml", {"UJR_CONFIG": "b.toml"}, tmp_path) == tmp_path / "a.toml"


class Colour(str, enum.Enum):  # noqa: UP042  # as strangers write it
    """A choice."""

    RED = "red"


@attrs.frozen
class Inner:
    """A nested table."""

    count: int
    word: str = attrs.field(default="x", validator=attrs.validators.max_len(3))


@attrs.frozen
class Params:
    """What a stranger's plugin may declare."""

    number: int = 1
    ratio: float = 1.0
    flag: bool = False
    text: str = ""
    wait: Seconds = 1.0
    maybe_wait: Seconds | None = None
    words: list[str] = attrs.field(factory=list)
    numbers: tuple[int, ...] = ()
    pair: tuple[int, str] = (1, "a")
    table: dict[str, int] = attrs.field(factory=dict)
    inner: Inner | None = None
    inners: list[Inner] = attrs.field(factory=list)
    path: Path = Path()
    letter: Literal["a", "b"] = "a"
    colour: Colour = Colour.RED
    key: Secret | None = None
    key_or_text: Secret | str = ""
    either: int | str = 1
    anything: Any = None
    _private: int = 1
    at_least: int = attrs.field(default=5, validator=attrs.validators.ge(3))


def read(**table: object) -> Params:
    """Structure the params of job "x"."""
    return structure(Params, table, ORIGIN, ("jobs", "x", "params"))


def test_every_usual_type_is_read() -> None:
    """Scalars, durations, containers, nested classes, choices, paths and secrets have their places."""
    ref = SecretRef("env", "A")
    params = read(
        number=2, ratio=2, flag=True, text="t", wait="5m", maybe_wait=3, words=["a"], numbers=[1, 2], pair=[1, "b"],
        table={"a": 1}, inner={"count": 1}, inners=[{"count": 2, "word": "y"}], path="a/b", letter="b", colour="red",
        key=ref, key_or_text="plain", either="5", anything=[ref], private=7, at_least=3,
    )  # fmt: skip
    assert params == Params(
        2, 2.0, True, "t", 300.0, 3.0, ["a"], (1, 2), (1, "b"), {"a": 1}, Inner(1), [Inner(2, "y")], Path("a/b"), "b",
        Colour.RED, ref, "plain", "5", [ref], 7, 3,  # type: ignore[arg-type]  # a reference where the secret will be
    )  # fmt: skip
    assert type(params.ratio) is float


@pytest.mark.parametrize(
    ("key", "value", "code", "what"),
    [
        ("number", "5", "config-wrong-type", 'wants a whole number for "number", not "5"'),
        ("number", True, "config-wrong-type", 'wants a whole number for "number", not true'),
        ("number", 1.0, "config-wrong-type", 'wants a whole number for "number", not 1.0'),
        ("ratio", "1.5", "config-wrong-type", 'wants a number for "ratio", not "1.5"'),
        ("ratio", True, "config-wrong-type", 'wants a number for "ratio", not true'),
        ("flag", 1, "config-wrong-type", 'wants true or false for "flag", not 1'),
        ("text", 1, "config-wrong-type", 'wants text for "text", not 1'),
        ("words", "abc", "config-wrong-type", 'wants an array for "words", not "abc"'),
        ("words", ["a", 1], "config-wrong-type", 'wants text for "words[1]", not 1'),
        ("pair", [1], "config-wrong-value", 'has a wrong value for "pair": it has 1 items, and needs 2'),
        ("table", [1], "config-wrong-type", 'wants a table for "table", not an array'),
        ("table", {"a": "1"}, "config-wrong-type", 'wants a whole number for "table.a", not "1"'),
        ("inner", 3, "config-wrong-type", 'wants a table for "inner", not 3'),
        ("inner", {}, "config-missing-key", 'needs the parameter "inner.count"'),
        ("inners", [{"count": 1, "word": "long"}], "config-wrong-value", 'has a wrong value for "inners[0].word": '
                                                                        "Length of 'word' must be <= 3: 4"),
        ("path", 3, "config-wrong-type", 'wants a path for "path", not 3'),
        ("letter", "c", "config-wrong-value", 'wants one of "a", "b" for "letter", not "c"'),
        ("colour", "blue", "config-wrong-value", 'wants one of "red" for "colour", not "blue"'),
        ("either", 1.5, "config-wrong-type", 'wants a whole number or text for "either", not 1.5'),
        ("wait", "5", "config-duration", 'has no duration for "wait": \'5\' is no duration; write a number of seconds, '
                                         'or text such as "500ms", "30s", "5m"'),
        ("wait", -1, "config-duration", 'has no duration for "wait": -1 is no duration: it must be finite and not '
                                        "negative"),
        ("maybe_wait", "x", "config-duration", None),
        ("text", SecretRef("env", "A"), "config-wrong-type", 'names a secret for "text", which wants a plain value'),
        ("at_least", 1, "config-wrong-value", "has a wrong value for \"at_least\": 'at_least' must be >= 3: 1"),
        ("nummber", 1, "config-unknown-key", 'has no parameter "nummber"'),
        ("text", "y" * 500, "ok", None),
        ("number", "y" * 500, "config-wrong-type", 'wants a whole number for "number", not "' + "y" * 58 + "…"),
    ],
)  # fmt: skip
def test_nothing_is_converted_silently(key: str, value: object, code: str, what: str | None) -> None:
    """A value that does not fit is refused with its key, what was wanted and a bounded look at what stood there."""
    if code == "ok":
        assert getattr(read(**{key: value}), key) == value
        return
    (fault,) = faults_of(lambda: read(**{key: value}))
    assert fault.code == code
    assert fault.where.startswith("ujr.toml, jobs.x.params.")
    assert fault.fix
    if what is not None:
        assert fault.what == f'job "x" {what}'


def test_all_faults_of_a_table_come_at_once() -> None:
    """No fault hides another: types, values, unknown and missing keys of one table are raised together."""
    table = {"number": "5", "inner": {"word": "long", "cuont": 1}, "at_least": 1, "key": CANARY, "extra": 1}
    codes = [fault.code for fault in faults_of(lambda: read(**table))]
    assert sorted(codes) == [
        "config-missing-key", "config-unknown-key", "config-unknown-key", "config-wrong-type", "config-wrong-type",
        "config-wrong-value", "config-wrong-value",
    ]  # fmt: skip


def test_a_plain_value_in_the_place_of_a_secret_is_not_shown() -> None:
    """A password that was written down is refused, and the error does not repeat it."""
    (fault,) = faults_of(lambda: read(key=CANARY))
    assert str(fault) == (
        'error[config-wrong-type]: job "x" wants a secret for "key", not a plain value\n'
        "  where: ujr.toml, jobs.x.params.key\n"
        '  fix:   name where it is kept: { secret = "env:NAME" }'
    )


def test_a_secret_in_the_wrong_place_is_not_shown() -> None:
    """A revealed secret never gets into a fault."""
    faults = faults_of(lambda: read(text=Secret(CANARY), number=Secret(CANARY), words=[Secret(CANARY)]))
    assert len(faults) == 3
    assert all(CANARY not in str(fault) for fault in faults)


def _not_empty(_: object, field: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, Secret) or not value.reveal():
        raise ValueError(f"{field.name} is empty")


@attrs.frozen
class Whole:
    """Its constructor looks at several fields together."""

    key: Secret = attrs.field(validator=[_not_empty, attrs.validators.instance_of(Secret)])
    low: int = 1
    high: int = 2

    def __attrs_post_init__(self) -> None:
        """Refuse a wrong order."""
        if self.high < self.low:
            raise ValueError("high is less than low")


def test_a_validator_of_a_secret_waits_for_it() -> None:
    """With a mere reference a validator's refusal means nothing; with the secret it counts."""
    ref = SecretRef("env", "A")
    structure(Whole, {"key": ref}, ORIGIN)
    structure(Whole, {"key": ref, "low": 3}, ORIGIN)
    (fault,) = faults_of(lambda: structure(Whole, {"key": Secret("")}, ORIGIN, ("plugins", "w")))
    assert fault.what == 'plugin "w" has a wrong value for "key": key is empty'
    assert fault.fix == f"correct the value; what it may be stands in {__name__}.Whole"
    (fault,) = faults_of(lambda: structure(Whole, {"key": Secret("s"), "low": 3}, ORIGIN, ("plugins", "w")))
    assert fault.what == 'plugin "w" has a wrong value: high is less than low'


def test_what_a_class_refuses_is_told_with_where_that_class_is() -> None:
    """The fix names the class, for the rule stands nowhere else: the inner one, if that is the one that refuses."""

    @attrs.frozen
    class Outer:
        """Holds it."""

        whole: Whole

    (fault,) = faults_of(lambda: structure(Outer, {"whole": {"key": Secret("s"), "low": 3}}, ORIGIN, ("plugins", "w")))
    assert fault.fix == f"correct the value; what it may be stands in {__name__}.Whole"


def test_a_class_that_no_table_can_fill_is_the_plugins_fault() -> None:
    """A field of a type without a form in TOML is an error that names the type."""

    @attrs.frozen
    class Odd:
        pattern: Faults

    (fault,) = faults_of(lambda: structure(Odd, {"pattern": 1}, ORIGIN, ("plugins", "odd")))
    assert fault.code == "plugin-wrong-settings"
    assert "Faults" in fault.what


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("jobs", "a b", "x"), 'jobs."a b".x'),
        (("jobs", "x", "params", "list", "0", "k"), "jobs.x.params.list[0].k"),
        ((), ""),
        (("ä",), '"ä"'),
    ],
)
def test_a_key_path_reads_as_toml(path: tuple[str, ...], text: str) -> None:
    """Key paths in errors can be searched for in the file."""
    assert dotted(path) == text


A = {"secret": "env:A"}
PLACE = Place(ORIGIN, ("jobs", "x", "params"))


def test_references_are_read_wherever_they_stand() -> None:
    """Tables and arrays are searched; what is no reference stays as it is."""
    table = {
        "secret": "the params themselves are no reference",
        "a": {"secret": "env:A"},
        "b": [{"c": {"secret": "vault:kv/x#f", "version": 3}}, 1],
        "d": {"template": "u:{pw}@{host}{{}}", "pw": {"secret": "env:P"}, "host": {"secret": "env:H"}},
        "page": {"template": "index.html", "title": "no secret in it"},
        "e": {"secret": {"secret": "env:E"}},
    }
    read_table, faults = read_references(table, PLACE)
    assert faults == ()
    assert read_table == table | {
        "a": SecretRef("env", "A"),
        "b": [{"c": SecretRef("vault", "kv/x", "f", (("version", 3),))}, 1],
        "d": SecretTemplate("u:{pw}@{host}{{}}", (("pw", SecretRef("env", "P")), ("host", SecretRef("env", "H")))),
        "e": {"secret": SecretRef("env", "E")},
    }


@pytest.mark.parametrize(
    ("value", "what", "key"),
    [
        ({"secret": CANARY}, "a secret is named by provider and path, and this is neither", "s.secret"),
        ({"secret": 5}, "a secret is named by provider and path, and this is neither", "s.secret"),
        ({"secret": "env:A", "opt": [1]}, 'the option "opt" of a secret is [1]', "s.opt"),
        ({"template": "{pw} {q}", "pw": A}, 'the template has "{q}" and no secret of that name', "s.template"),
        ({"template": "{pw}", "pw": A, "x": 1}, 'the template has no "{x}"', "s.x"),
        ({"template": "{pw", "pw": A}, "this is no template: expected '}' before end of string", "s.template"),
        ({"template": "{pw.x}", "pw": A}, '"{pw.x}" is no name of a secret', "s.template"),
        ({"template": "{pw!r:>9}", "pw": A}, '"{pw}" is no name of a secret', "s.template"),
    ],
)  # fmt: skip
def test_a_wrong_reference_is_a_fault_with_its_place(value: object, what: str, key: str) -> None:
    """A reference that cannot be read is named by its key, and what stands there is not shown."""
    _, (fault,) = read_references({"s": value}, PLACE)
    assert fault.code == "config-secret"
    assert fault.what == f'job "x": {what}'
    assert fault.where == f"ujr.toml, jobs.x.params.{key}"
    assert fault.fix


def test_secrets_are_filled_in_wherever_their_reference_stands() -> None:
    """Nested places and templates get the secret; the params that were configured keep the reference."""
    a, b = SecretRef("env", "A"), SecretRef("env", "B")
    params = {"x": a, "y": [{"z": a}], "t": SecretTemplate("{n}!", (("n", b),)), "u": (1, b)}
    filled = fill(params, {a: Secret("one"), b: Secret("two")})
    assert filled == {"x": Secret("one"), "y": [{"z": Secret("one")}], "t": Secret("two!"), "u": (1, Secret("two"))}
    assert params["x"] is a


def job(**table: object) -> JobConfig:
    """Read job "x"."""
    return job_of("x", table, source="src", runner=RUNNER)


def test_a_job_has_its_defaults() -> None:
    """An empty table is a job of the plugin of its name, at the runner's interval."""
    config = job()
    assert config == JobConfig("x", "x", check_interval=2.0, origin=config.origin)
    assert config.origin == Origin("src")


def test_a_job_has_its_settings() -> None:
    """Every setting of a job is read, durations in both forms, secrets as references."""
    config = job(
        plugin="command", params={"k": {"secret": "env:K"}}, enabled=False, nodes=["col-*"], check_interval="500ms",
        timeout="2m", grace=1, max_tasks=8, backoff={"first": "2s", "factor": 3, "max": "1h"}, give_up_after=5,
        continuous=True, cron="@daily", timezone="Asia/Tokyo", spread="1m", missed="skip", ask_timeout="2m",
        on_stop="finish",
    )  # fmt: skip
    assert config == JobConfig(
        "x", "command", {"k": SecretRef("env", "K")}, config.origin, False, ("col-*",), 0.5, 120.0, 1.0, 8,
        Backoff(2.0, 3.0, 3600.0), 5, True, None, "@daily", None, "Asia/Tokyo", 60.0, "skip", 120.0, "finish",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("at", "read"),
    [
        ("2026-01-31T06:00:00Z", datetime.datetime(2026, 1, 31, 6, tzinfo=datetime.UTC)),
        ("2026-01-31 06:00", datetime.datetime(2026, 1, 31, 6)),  # noqa: DTZ001  # on the clock of the timezone
        (datetime.datetime(2026, 1, 31, 6), datetime.datetime(2026, 1, 31, 6)),  # noqa: DTZ001  # as above
    ],
    ids=["offset", "local", "of TOML"],
)
def test_the_only_firing_is_a_date_with_a_time(at: object, read: datetime.datetime) -> None:
    """As TOML has it, or as text; with an offset from UTC or without."""
    assert job(at=at).at == read


def test_a_date_is_shown_as_it_was_written() -> None:
    """Whoever reads the error need not know Python."""
    (fault,) = faults_of(lambda: job(at=datetime.date(2026, 11, 25)))
    assert fault.what.endswith('for "at", not 2026-11-25')
    (fault,) = faults_of(lambda: job(every=datetime.time(6, 30)))
    assert fault.code == "config-duration"
    (fault,) = faults_of(lambda: job(cron=datetime.datetime(2026, 11, 25, 6, tzinfo=datetime.UTC)))
    assert fault.what.endswith('for "cron", not 2026-11-25T06:00:00+00:00')


def test_of_two_schedules_both_are_named() -> None:
    """A job has one schedule; the other faults of its table are told, too."""
    first, second = faults_of(lambda: job(every="1h", cron="@daily", grace="x"))
    assert str(first) == (
        'error[config-two-schedules]: job "x" has both "every" and "cron"\n'
        "  where: src, jobs.x.cron\n"
        "  fix:   keep one; make a further job for another schedule"
    )
    assert second.code == "config-duration"
    (fault,) = faults_of(lambda: job(every=1, cron="@daily", at="2026-01-31T06:00Z"))
    assert fault.what == 'job "x" has "every", "cron" and "at"'


def test_a_timezone_of_nothing_is_refused() -> None:
    """Without cron and at it changes nothing, and whoever wrote it believes that it does."""
    (fault,) = faults_of(lambda: job(every=1, timezone="Europe/Berlin"))
    assert fault.what == 'job "x" has a wrong value for "timezone": it means nothing without "cron" or "at"'


@pytest.mark.parametrize(("name", "value"), [("spread", "1m"), ("spread", 0), ("missed", "skip"), ("missed", "once")])
def test_what_is_said_of_firings_that_never_come_is_refused(name: str, value: object) -> None:
    """Without a schedule it changes nothing; with any, it is taken."""
    (fault,) = faults_of(lambda: job(**{name: value}))
    assert str(fault) == (
        f'error[config-wrong-value]: job "x" has a wrong value for "{name}": '
        'it means nothing without "every", "cron" or "at"\n'
        f"  where: src, jobs.x.{name}\n"
        "  fix:   remove it"
    )
    for schedule in ({"every": 1}, {"cron": "@daily"}, {"at": "2026-01-31T06:00Z"}):
        job(**schedule, **{name: value})


def test_an_unknown_zone_names_the_nearest() -> None:
    """A misspelt zone is told with the one that was meant."""
    (fault,) = faults_of(lambda: job(cron="@daily", timezone="Europe/Berln"))
    assert str(fault) == (
        'error[config-wrong-value]: job "x" has a wrong value for "timezone": there is no time zone "Europe/Berln"\n'
        "  where: src, jobs.x.timezone\n"
        '  fix:   did you mean "Europe/Berlin"?'
    )


def test_a_wrong_expression_keeps_its_own_fix() -> None:
    """What the calendar says is wrong, and what would be right, is what a person reads."""
    (fault,) = faults_of(lambda: job(cron="61 * * * *"))
    assert str(fault) == (
        'error[config-wrong-value]: job "x" has a wrong value for "cron": "61" is no minute\n'
        "  where: src, jobs.x.cron\n"
        '  fix:   write five fields, minute hour day month weekday, for example "30 6 * * MON-FRI"'
    )


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("900/15m", Rate(900, 900.0)), ("10/s", Rate(10, 1.0)), ("100 / m", Rate(100, 60.0)),
        ("5000/h", Rate(5000, 3600.0)), ("1/d", Rate(1, 86_400.0)), ("3/500ms", Rate(3, 0.5)), ("2/ms", Rate(2, 0.001)),
    ],
)  # fmt: skip
def test_a_rate_is_so_many_in_so_long(text: str, rate: Rate) -> None:
    """The time has a unit, and is one of it if no number stands before."""
    assert main_of({"limits": {"api": {"concurrent": 2, "rate": text}}}, ".").limits == {"api": Limit(2, rate)}


@pytest.mark.parametrize(
    ("table", "where", "what"),
    [
        ({}, "limits.api", 'limit "api" has a wrong value: it limits nothing'),
        (3, "limits.api", 'limit "api" wants a table, not 3'),
        (
            {"concurrent": 0},
            "limits.api.concurrent",
            'limit "api" has a wrong value for "concurrent": 0 would let nothing start',
        ),
        ({"concurrent": 1.5}, "limits.api.concurrent", None),
        ({"concurent": 1}, "limits.api.concurent", 'limit "api" has no setting "concurent"'),
        ({"rate": 5}, "limits.api.rate", 'limit "api" wants text for "rate", not 5'),
        ({"rate": "5"}, "limits.api.rate", 'limit "api" has a wrong value for "rate": "5" is no rate'),
        ({"rate": "5/15"}, "limits.api.rate", 'limit "api" has a wrong value for "rate": "15" is no duration'),
        ({"rate": "0/s"}, "limits.api.rate", 'limit "api" has a wrong value for "rate": "0/s" would let nothing start'),
        ({"rate": "5/0s"}, "limits.api.rate", 'limit "api" has a wrong value for "rate": its window is 0 s'),
        ({"rate": "-5/s"}, "limits.api.rate", None),
    ],
)
def test_a_limit_that_limits_nothing_is_refused(table: object, where: str, what: str | None) -> None:
    """Each fault has its place and a fix, and the limits beside it are read."""
    main = main_of({"limits": {"api": table, "good": {"concurrent": 1}}}, ".")
    (fault,) = main.faults
    assert fault.where == f"<python>, {where}"
    assert fault.fix
    assert what in (None, fault.what)
    assert main.limits == {"good": Limit(1)}


def test_a_limit_that_is_no_table_is_told_what_one_is() -> None:
    """With what stands in it, and not with what any table looks like."""
    (fault,) = main_of({"limits": {"api": "2"}}, ".").faults
    assert str(fault) == (
        'error[config-wrong-type]: limit "api" wants a table, not text\n'
        "  where: <python>, limits.api\n"
        '  fix:   write for example { concurrent = 2, rate = "900/15m" }'
    )


def test_limits_that_are_no_table_are_a_fault() -> None:
    """What else stands there is told by its kind."""
    (fault,) = main_of({"limits": [1]}, ".").faults
    assert fault.what == 'the configuration wants a table for "limits", not an array'


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("check_interval", "9ms"), ("check_interval", -1), ("timeout", 0), ("timeout", "0s"), ("grace", -1),
        ("max_tasks", 0), ("max_tasks", 1.0), ("memory", 0), ("memory", -1), ("memory", "2 gb"), ("memory", "GB"),
        ("memory", 2.5), ("memory", "0.1B"), ("memory", "9999TB" * 9), ("memory", 2**63), ("executor", ""),
        ("give_up_after", 0), ("backoff", {"first": 0}), ("plugin", ""),
        ("backoff", {"factor": 0.5}), ("backoff", {"first": 9, "max": 1}), ("backoff", {"frist": 1}), ("nodes", "all"),
        ("nodes", [1]), ("enabled", "yes"), ("plugin", 1), ("params", []), ("params", {"s": {"secret": "x"}}),
        ("every", "9ms"), ("every", 0), ("cron", 5), ("cron", "* * * *"), ("at", "2026-01-31"), ("at", "noon"),
        ("at", datetime.date(2026, 1, 31)), ("at", "0001-01-01T00:00Z"), ("at", 5), ("timezone", "UTC"),
        ("ask_timeout", 0), ("on_stop", "wait"), ("evry", 1),
        ("backoff", {"max": "1000000000000d"}),
    ],
)  # fmt: skip
def test_a_setting_out_of_its_range_is_refused(key: str, value: object) -> None:
    """No job starts with a setting that means nothing."""
    (fault,) = faults_of(lambda: job(**{key: value}))
    assert f"jobs.x.{key}" in fault.where
    assert 'job "x"' in fault.what


@pytest.mark.parametrize(("key", "value"), [("spread", -1), ("missed", "twice")])
def test_a_setting_of_firings_out_of_its_range_is_refused(key: str, value: object) -> None:
    """Nor with one that means nothing beside its schedule."""
    (fault,) = faults_of(lambda: job(every=1, **{key: value}))
    assert f"jobs.x.{key}" in fault.where


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a\nb",
        "\x1b[31m",
        5,
        "../x",
        "a/b",
        "a\\b",
        ".hidden",
        "-x",
        " a",
        "a ",
        "a\u200bb",
        "x" * 201,
        "x" * 10_000,
    ],
)
def test_a_name_that_nobody_can_read_or_type_is_refused(name: Any) -> None:
    """No path, no option, nothing that cannot be seen; and an error is not as long as the name."""
    (fault,) = faults_of(lambda: job_of(name, {}, source="src", runner=RUNNER))
    assert fault.code == "config-wrong-value"
    assert len(str(fault)) < 700


def test_a_wrong_name_of_a_job_is_told_with_the_rule() -> None:
    """Whoever named a job like a path reads what names are."""
    (fault,) = faults_of(lambda: job_of("../x", {}, source="src", runner=RUNNER))
    assert str(fault) == (
        'error[config-wrong-value]: "../x" is no name of a job\n'
        '  where: src, jobs."../x"\n'
        '  fix:   begin with a letter, a digit or "_"; letters, digits, spaces and any of - _ . : @ + may follow, '
        "200 characters in all"
    )


@pytest.mark.parametrize(
    "name",
    [
        "nightly",
        "Über-Nacht",
        "北部 2",
        "हिन्दी",
        "weather.jobs:north",
        "vault@ujr-plugin-vault",
        "_a+b",
        "7",
        "x" * 200,
    ],
)
def test_a_name_that_people_read_is_a_name(name: str) -> None:
    """Letters of any script, digits and spaces; also what a plugin of the project is called."""
    assert job_of(name, {}, source="src", runner=RUNNER).name == name


def test_names_that_look_the_same_are_the_same() -> None:
    """An accent of its own is part of its letter: of two sources that differ in this, both mean one job."""
    composed, apart = "caf\u00e9", "cafe\u0301"
    assert list(bring_together(("a", {apart: {}})).jobs) == [composed]
    (fault,) = bring_together(("a", {apart: {}}), ("b", {composed: {}})).faults
    assert fault.code == "config-job-twice"


def endless() -> dict[str, Any]:
    """Return a table that contains itself twice."""
    table: dict[str, Any] = {}
    table |= {"a": table, "b": [table]}
    return table


def nested(levels: int) -> dict[str, Any]:
    """Return tables in each other."""
    table: dict[str, Any] = {}
    for _ in range(levels):
        table = {"k": table}
    return table


@pytest.mark.parametrize("params", [nested(101), nested(100_000), endless()], ids=["101", "100000", "itself"])
def test_what_a_source_nests_too_deep_is_a_fault_of_its_job(params: dict[str, Any]) -> None:
    """A source's answer without bottom is refused in four parts; the rest of it is checked as ever."""
    consolidation = bring_together(("src", {"x": {"params": params, "enabled": 1}, "y": {}}))
    assert list(consolidation.jobs) == ["y"]
    assert str(consolidation.faults[0]) == (
        'error[config-wrong-value]: job "x" has a wrong value for "params": it is nested deeper than 100 levels\n'
        "  where: src, jobs.x.params\n"
        "  fix:   put fewer tables and arrays into each other"
    )
    assert [fault.where for fault in consolidation.faults[1:]] == ["src, jobs.x.enabled"]


def test_what_is_not_too_deep_is_read() -> None:
    """A hundred levels are the most."""
    assert job(params=nested(99)).params == nested(99)


def test_lines_of_a_key_with_very_many_dots_take_no_time() -> None:
    """The work grows with the text, not with its square: where it is too deep, noting ends."""
    lines = key_lines("first = 1\n" + ".".join(["k"] * 20_000) + " = 1\nlast = 1\n")
    assert lines == {("first",): 1} | {("k",) * parts: 2 for parts in range(1, 102)}


def test_an_unknown_setting_reads_as_the_guide_shows(write: Write) -> None:
    """The whole text of an error: code, what happened, file, line and key path, and the fix."""
    main = read_main(write('[jobs.nightly]\nplugin = "command"\ntimout = 3\n'))
    consolidation = consolidate([("toml", main.job_tables())], main.runner)
    assert [str(fault) for fault in consolidation.faults] == [
        'error[config-unknown-key]: job "nightly" has no setting "timout"\n'
        "  where: ujr.toml:3, jobs.nightly.timout\n"
        '  fix:   did you mean "timeout"?'
    ]


def bring_together(*answers: tuple[str, object]) -> Consolidation:
    """Consolidate with the usual runner settings."""
    return consolidate(answers, RUNNER)


def test_jobs_of_all_sources_come_together_by_name() -> None:
    """Jobs are sorted, a source that has nothing to say counts for nothing, and places are kept."""
    result = bring_together(("a", {"z": {}, "b": JobTable({}, Origin("db:7"))}), ("b", None), ("c", {"a": {}}))
    assert list(result.jobs) == ["a", "b", "z"]
    assert result.faults == ()
    assert result.jobs["b"].origin.source == "db:7"


def test_a_job_of_two_sources_is_a_fault_that_names_both() -> None:
    """Neither of the two is taken."""
    result = bring_together(("one", {"j": JobTable({}, Origin("ujr.toml", {(): 3}))}), ("two", {"j": {}, "k": {}}))
    assert list(result.jobs) == ["k"]
    (fault,) = result.faults
    assert fault.code == "config-job-twice"
    assert fault.where == "ujr.toml:3 (one) and two (two)"


class Broken(Mapping[str, object]):
    """A mapping that raises when it is read."""

    def __getitem__(self, key: str) -> object:
        raise RuntimeError(CANARY)

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError(CANARY)

    def __len__(self) -> int:
        return 1


@pytest.mark.parametrize(("answer", "what"), [(5, "a int"), ("ab", "a str"), ([{}], "a list")])
def test_a_source_that_returns_something_else_is_named(answer: object, what: str) -> None:
    """A wrong answer of one source does not keep the jobs of another away."""
    result = bring_together(("bad", answer), ("good", {"j": {}}))
    assert list(result.jobs) == ["j"]
    assert [fault.what for fault in result.faults] == [f'config_source of plugin "bad" returned {what}']


def test_a_mapping_that_raises_is_a_wrong_answer() -> None:
    """What a source's own mapping raises stays with that source, by its type alone."""
    result = bring_together(("bad", Broken()), ("good", {"j": {}}))
    assert list(result.jobs) == ["j"]
    assert "raised RuntimeError" in result.faults[0].what
    assert CANARY not in str(result.faults[0])


def test_a_job_with_a_fault_is_kept_for_checks_alone() -> None:
    """What could be read of a faulty job is checked further, and never run; of what is no table nothing could."""
    result = bring_together(
        ("src", {"bad": {"plugin": "p", "x": 1, "params": {"k": {"secret": "q:1"}}}, "c": 5, "a": {}})
    )
    assert list(result.jobs) == ["a"]
    assert list(result.checkable) == ["a", "bad"]
    assert result.checkable["bad"].plugin == "p"
    assert result.checkable["bad"].all_secrets() == (SecretRef("q", "1"),)


def test_the_main_file_has_its_defaults(write: Write, tmp_path: Path) -> None:
    """An empty file is a whole configuration, on a node that knows its machine."""
    path = write("")
    main = read_main("ujr.toml")
    assert (main.path, main.folder, main.runner) == (path, tmp_path, RunnerSettings())
    assert (main.runner.check_interval, main.runner.shutdown_timeout, main.runner.state_dir) == (1.0, 25.0, ".ujr")
    assert main.node.name
    assert 1 <= main.node.cpus <= (os.cpu_count() or 1)
    assert main.node.memory_bytes > 1_000_000


def test_the_main_file_has_its_settings(write: Write) -> None:
    """[runner], [node] and [plugins] are read."""
    main = read_main(
        write(
            '[runner]\nworkers = 4\nplugins = ["m"]\ndisable_plugins = ["log"]\ncheck_interval = "2s"\n'
            '[node]\nname = "n"\nlabels = ["gpu"]\nfacts = { rack = 7 }\n[plugins.file]\nfolder = "x"\n'
        )
    )
    assert main.runner == RunnerSettings(4, ("m",), ("log",), 2.0)
    assert (main.node.name, main.node.labels, main.node.facts) == ("n", ("gpu",), {"rack": 7})
    assert main.plugins == {"file": {"folder": "x"}}


def test_all_faults_of_the_main_file_come_at_once(write: Write) -> None:
    """Unknown tables, wrong settings and wrong kinds of tables are kept together, each with its line."""
    path = write(
        'jobs = 3\n[runnr]\n[runner]\nworkers = 0\ncheck_interval = 0.001\n[node]\nlabels = "x"\n[plugins]\na = 1\n'
    )
    assert [(fault.code, fault.where) for fault in read_main(path).faults] == [
        ("config-unknown-key", "ujr.toml:2, runnr"),
        ("config-wrong-type", "ujr.toml:1, jobs"),
        ("config-wrong-type", "ujr.toml:9, plugins.a"),
        ("config-wrong-value", "ujr.toml:4, runner.workers"),
        ("config-wrong-value", "ujr.toml:5, runner.check_interval"),
        ("config-wrong-type", "ujr.toml:7, node.labels"),
    ]


def test_what_is_right_beside_a_fault_is_read(write: Write) -> None:
    """A wrong setting has its default, so that a check of plugins and jobs goes on as it was meant."""
    main = read_main(
        write(
            "jobs = 3\n[runner]\nworkers = 0\nwrokers = 2\nplugins = 'mine'\ndisable_plugins = ['log']\n"
            'check_interval = "2s"\n[node]\nname = 1\nlabels = ["gpu"]\n[plugins]\na = 1\nfile = { folder = "x" }\n'
        )
    )
    assert main.runner == RunnerSettings(plugins=("mine",), disable_plugins=("log",), check_interval=2.0)
    assert main.node.labels == ("gpu",)
    assert main.plugins == {"file": {"folder": "x"}}
    assert main.job_tables() == {}
    assert len(main.faults) == 6
    assert read_main(write("runner = 5")).runner == RunnerSettings()


def test_a_mapping_is_a_configuration_of_the_same_shape(tmp_path: Path) -> None:
    """From Python the same tables are read; faults say so in the place of a file."""
    main = main_of({"runner": {"workers": 2}, "jobs": {"a": {"plugin": "p"}}}, tmp_path)
    assert (main.path, main.folder, main.runner.workers) == (None, tmp_path, 2)
    assert main.job_tables()["a"].mapping == {"plugin": "p"}
    (fault,) = main_of({"limts": {}}, tmp_path).faults
    assert (fault.what, fault.where) == ('the configuration has no table "limts"', "<python>, limts")


@pytest.mark.parametrize(
    ("written", "size"),
    [(1_000_000, 10**6), ("1000000B", 10**6), ("500MB", 500_000_000), ("2GB", 2_000_000_000),
     ("1.5 GiB", 1_610_612_736), ("65536KiB", 2**26), ("8000kB", 8_000_000), ("8000KB", 8_000_000), ("1TB", 10**12)],
)  # fmt: skip
def test_memory_is_bytes_or_a_size(written: int | str, size: int) -> None:
    """A number is bytes; text has a unit, of thousands or, with an i, of 1,024."""
    assert job_of("a", {"memory": written}, source="s", runner=RunnerSettings()).memory == size


def test_what_is_no_size_is_told() -> None:
    """The whole text says what would be right."""
    with pytest.raises(Faults) as caught:
        job_of("a", {"memory": "2 gb"}, source="s", runner=RunnerSettings())
    assert str(caught.value) == (
        'error[config-wrong-value]: job "a" has a wrong value for "memory": "2 gb" is no size\n'
        "  where: s, jobs.a.memory\n"
        '  fix:   write a number of bytes, or for example "500MB", "2GB" or "2GiB"'
    )


@pytest.mark.parametrize("written", [4, "512kB", "5000000TB"])
def test_what_no_task_could_live_with_is_told(written: int | str) -> None:
    """A number whose unit was forgotten would have every task of the job fail with MemoryError."""
    with pytest.raises(Faults) as caught:
        job_of("a", {"memory": written}, source="s", runner=RunnerSettings())
    size = json.dumps(written)
    assert str(caught.value) == (
        f'error[config-wrong-value]: job "a" has a wrong value for "memory": {size} is not from 1 MB to 4 EiB\n'
        "  where: s, jobs.a.memory\n"
        '  fix:   a number is bytes: write for example "2GB"'
    )


def test_executor_and_recycle_of_the_runner() -> None:
    """Both have a default, and take what makes sense alone."""
    assert (RunnerSettings().executor, RunnerSettings().recycle) == ("local", None)
    for wrong in ({"recycle": 0}, {"recycle": True}, {"executor": ""}, {"executor": 1}):
        assert main_of({"runner": wrong}, ".").faults
    runner = main_of({"runner": {"recycle": 1, "executor": "dask"}}, ".").runner
    assert (runner.recycle, runner.executor) == (1, "dask")
