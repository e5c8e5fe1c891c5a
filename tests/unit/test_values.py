"""Values, secrets, durations and names: what they promise to plugins."""

from __future__ import annotations

import copy
import datetime
import functools
import json
import math
import pickle
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ujr_core
from ujr_core.durations import format_duration, parse_duration
from ujr_core.errors import ConfigError, Faults, PluginError, SecretError, TaskError, UJRError, did_you_mean
from ujr_core.naming import function_name, import_function
from ujr_core.secret import Secret, SecretRef, SecretTemplate, pickle_for_worker
from ujr_core.values import JobConfig, NextCheck, Node, Origin, Result, RetryAfter, Task

VALUE = "hunter2-canary"
NOW = datetime.datetime(2026, 1, 5, 12, 30, tzinfo=datetime.UTC)


def work(number: int = 0) -> int:
    """A task's function."""
    return number


class Box:
    """Holds a method, which is no task."""

    def method(self) -> None:
        """Nothing."""


def test_a_task_signs_itself() -> None:
    """A signature is made of function and arguments, unless one is given, which is then also the label."""
    assert Task(work, (1,)).signature == Task(work, (1,)).signature != Task(work, (2,)).signature
    given_one = Task(work, (1,), signature="one")
    assert (given_one.signature, given_one.label) == ("one", "one")
    assert Task(work, (1,)).label is None


@pytest.mark.parametrize(
    ("function", "fix"),
    [
        (lambda: None, "move it to the top level of a module"),
        (functools.partial(work, 1), "write a plain function in a module and pass it"),
        (Box().method, "pass the function found there"),
        ([], "pass a function of a module"),
    ],
)
def test_what_a_worker_cannot_import_is_no_task(function: Any, fix: str) -> None:
    """Task() itself refuses lambdas, partials and methods, and says what to do instead."""
    with pytest.raises(TaskError) as caught:
        Task(function)
    assert caught.value.fix == fix


def test_a_function_of_the_script_that_runs_is_no_task() -> None:
    """A function of __main__ is refused with the fix, in a script as in a notebook."""
    code = "from ujr_core import Task\ndef f(): pass\ntry: Task(f)\nexcept Exception as error: print(error)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=_environ())
    assert "fix:   move it to a module beside the script, for example tasks.py" in done.stdout


class Label(str):
    """Text that runs code of its own."""

    __slots__ = ()


WRONG_TASKS: dict[str, dict[str, Any]] = {
    "list for args": {"args": [1]},
    "no canonical form": {"args": (object(),)},
    "number for signature": {"signature": 5},
    "number for label": {"label": 5},
    "a kind of text for label": {"label": Label("north")},
    "no time": {"timeout": 0},
    "text for timeout": {"timeout": "5"},
    "bool for timeout": {"timeout": True},
    "NaN for timeout": {"timeout": Decimal("nan")},
    "endless timeout": {"timeout": math.inf},
    "list for kwargs": {"kwargs": [("number", 1)]},
    "numbers for names": {"kwargs": {1: 1}, "signature": "s"},
    "text for uses": {"uses": "api"},
    "numbers for limits": {"uses": [1]},
    "no weight": {"uses": {"api": 0}},
    "bool for a weight": {"uses": {"api": True}},
}


@pytest.mark.parametrize("arguments", WRONG_TASKS.values(), ids=WRONG_TASKS)
def test_a_wrong_task_is_refused_where_it_is_made(arguments: dict[str, Any]) -> None:
    """Wrong arguments of Task are a TaskError with a fix, not a failure hours later."""
    with pytest.raises(TaskError) as caught:
        Task(work, **arguments)
    assert caught.value.fix


def test_a_task_holds_plain_values() -> None:
    """Any finite number does for a timeout, and a list for a tuple of limits; what is kept is plain."""
    timeouts = [Task(work, timeout=timeout).timeout for timeout in (5, Decimal(5), Fraction(5))]  # type: ignore[arg-type]  # more than promised
    assert [(type(timeout), timeout) for timeout in timeouts] == [(float, 5.0)] * 3
    assert Task(work, uses=["api"]).uses == ("api",)  # type: ignore[arg-type]  # more than promised
    assert Task(work, uses={"api": 2}).uses == {"api": 2}


def test_an_argument_without_a_form_is_taken_with_a_signature() -> None:
    """With a signature of its own a task may carry any argument."""
    assert Task(work, (object(),), signature="s").signature == "s"


def test_a_next_check_has_one_time_with_a_zone() -> None:
    """NextCheck takes exactly one of after and at, and at is aware."""
    assert NextCheck(at=NOW).at == NOW
    assert NextCheck(after=5).after == 5.0


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"after": 1.0, "at": NOW},
        {"at": NOW.replace(tzinfo=None)},
        {"at": NOW.date()},
        {"after": "5"},
        {"after": True},
        {"after": -1},
        {"after": math.nan},
        {"after": math.inf},
    ],
    ids=str,
)
def test_a_wrong_next_check_is_refused_where_it_is_made(arguments: dict[str, Any]) -> None:
    """What names no instant is a TaskError, not a runner that computes with it."""
    with pytest.raises(TaskError) as caught:
        NextCheck(**arguments)
    assert caught.value.fix


@pytest.mark.parametrize("seconds", [-1, math.nan, math.inf, 1e300, None, "30", True, "soon"])
def test_a_task_rests_for_a_number_of_seconds(seconds: Any) -> None:
    """RetryAfter refuses anything else, at the line that raises it."""
    with pytest.raises(TaskError) as refused:
        RetryAfter(seconds)
    assert str(refused.value) == (
        f"error[retry-after]: seconds is {seconds!r}, which is no number of seconds from 0 on\n"
        "  where: RetryAfter(…)\n"
        "  fix:   pass seconds from now on, such as 30; at most a hundred years"
    )


def test_a_limit_that_rests_has_a_name() -> None:
    """RetryAfter refuses a limit that is no text."""
    with pytest.raises(TaskError) as refused:
        RetryAfter(30, b"api")  # type: ignore[arg-type]  # the mistake
    assert str(refused.value) == (
        "error[retry-after]: limit is a bytes, not a name\n"
        "  where: RetryAfter(…)\n"
        '  fix:   pass a name of [limits]: RetryAfter(30, "api")'
    )


def test_a_task_that_asks_for_another_time_survives_pickling() -> None:
    """A task's own pool may carry it to where it is raised again."""
    again = pickle.loads(pickle.dumps(RetryAfter(90, "api")))
    assert (again.seconds, again.limit, str(again)) == (90.0, "api", "asked for another time: 1 min 30 s")


def test_a_result_decodes_only_when_asked() -> None:
    """value() gives what the task returned; without a pickle it says that the work is done all the same."""
    assert Result("[1]", pickled=pickle.dumps([1])).value() == [1]
    with pytest.raises(TaskError, match="the task succeeded"):
        Result("<lock>").value()


def test_a_function_is_found_again_by_its_name() -> None:
    """function_name and import_function are inverse; a dot does for the colon."""
    name = function_name(work)
    assert import_function(name) is work
    assert import_function("json.dumps") is json.dumps


@pytest.mark.parametrize("name", ["", "json", "json:", ":x", "json:nothing", "no_such_module:f"])
def test_a_name_that_names_nothing_is_an_import_error(name: str) -> None:
    """import_function raises ImportError for every name that leads nowhere."""
    with pytest.raises(ImportError):
        import_function(name)


def test_a_name_of_something_else_is_a_type_error() -> None:
    """import_function refuses what cannot be called."""
    with pytest.raises(TypeError, match="cannot be called"):
        import_function("sys:path")


@pytest.mark.parametrize(
    ("written", "seconds"),
    [(2, 2.0), (0.5, 0.5), ("500ms", 0.5), ("30s", 30.0), ("5m", 300.0), (" 2 h ", 7200.0), ("1d", 86400.0), (0, 0.0)],
)
def test_a_duration_is_a_number_or_has_a_unit(written: object, seconds: float) -> None:
    """Numbers are seconds, text has a unit."""
    assert parse_duration(written) == seconds


@pytest.mark.parametrize(
    "written", ["5", "", "s", "-1s", "5 x", "5m\n6", True, None, [], -1, float("nan"), float("inf")]
)
def test_what_is_no_duration_is_refused(written: object) -> None:
    """No text without unit, no bool, nothing negative or infinite passes for a duration."""
    with pytest.raises(ValueError, match="no duration"):
        parse_duration(written)


@given(st.floats(0, 1e9))
def test_a_formatted_duration_is_near_the_number(seconds: float) -> None:
    """What a person reads is within one part in a hundred, or half a unit, of what is meant."""
    numbers = format_duration(seconds).split()
    units = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}
    shown = sum(float(number) * units[unit] for number, unit in zip(numbers[::2], numbers[1::2], strict=True))
    assert abs(shown - seconds) <= max(seconds * 0.01, 0.0006)


@pytest.mark.parametrize(
    "leak",
    [
        repr,
        str,
        format,
        lambda s: f"{s:>40}",
        lambda s: str([s]),
        lambda s: str({"k": s}),
        lambda s: " ".join(map(str, [s])),
    ],
)
def test_a_secret_is_masked_in_every_rendering(leak: Callable[[Secret], str]) -> None:
    """Rendering a secret shows its name and nothing of its value."""
    text = leak(Secret(VALUE, name="weather.api_key"))
    assert "<Secret weather.api_key>" in text
    assert VALUE not in text


@pytest.mark.parametrize(
    "use",
    [
        pickle.dumps,
        copy.copy,
        copy.deepcopy,
        json.dumps,
        hash,
        lambda s: s + "x",
        lambda s: "".join([s]),
        lambda s: s[0],
    ],
)
def test_a_secret_refuses_what_would_carry_it_off(use: Callable[[Secret], object]) -> None:
    """Pickling, copying, dumping, joining and hashing raise, and the error does not hold the value."""
    with pytest.raises((SecretError, TypeError)) as caught:
        use(Secret(VALUE))
    assert VALUE not in str(caught.value)


def test_a_secret_does_not_change() -> None:
    """No attribute of a secret can be set."""
    with pytest.raises(AttributeError):
        Secret(VALUE).name = "other"


def test_a_secret_has_one_way_out() -> None:
    """reveal() returns the value; map() and named() stay secret."""
    secret = Secret(VALUE, "v1", 60.0, name="a")
    upper = secret.named("b").map(str.upper)
    assert upper.reveal() == VALUE.upper()
    assert (upper.name, upper.version, upper.refetch_after) == ("b", "v1", 60.0)


def test_secrets_are_equal_by_value_and_to_secrets_alone() -> None:
    """A secret equals another of the same value, and no str."""
    assert Secret(VALUE) == Secret(VALUE, name="other")
    assert Secret(VALUE) != Secret("x")
    assert Secret(VALUE) != VALUE


def test_a_secret_holds_text_or_bytes() -> None:
    """Anything else is refused without being shown."""
    with pytest.raises(TypeError, match="not int"):
        Secret(5)  # type: ignore[arg-type]  # the mistake


def test_the_runner_carries_secrets_to_its_worker() -> None:
    """The runner's own pickle holds nested secrets; what comes out is a Secret again."""
    carried = pickle.loads(pickle_for_worker(([Secret(VALUE, "v", 1.0, name="n")], {"k": 1})))
    assert carried == ([Secret(VALUE)], {"k": 1})
    assert (carried[0][0].name, carried[0][0].version, carried[0][0].refetch_after) == ("n", "v", 1.0)


def test_what_a_worker_is_sent_names_its_secrets() -> None:
    """Each Secret that is carried is met, however deep, also one that was made of another."""
    met: list[Secret] = []
    made = Secret(VALUE, name="n").map(str.upper)
    pickle_for_worker(({"k": [made]}, Secret(b"other")), met.append)
    assert [secret.reveal() for secret in met] == [VALUE.upper(), b"other"]


def test_a_secret_holds_plain_values_alone() -> None:
    """A kind of text with code of its own would run it wherever the value is looked for."""
    assert type(Secret(Label(VALUE)).reveal()) is str


def test_a_secret_enters_a_signature_by_its_name() -> None:
    """A signature is no fingerprint of the value."""
    one, same_name = Task(work, (Secret("a", name="n"),)), Task(work, (Secret("b", name="n"),))
    assert one.signature == same_name.signature != Task(work, (Secret("a", name="m"),)).signature


def test_a_template_is_one_secret() -> None:
    """A template with its secrets filled in is masked as a whole."""
    ref = SecretRef.parse("env:PW")
    filled = SecretTemplate("app:{pw}@db", (("pw", ref),)).fill({ref: Secret(b"x1")})
    assert filled.reveal() == "app:x1@db"
    assert repr(filled) == "<Secret env:PW>"


@pytest.mark.parametrize("text", ["env:NAME", "vault:kv/weather#api_key", "file:/run/x:y"])
def test_a_reference_reads_back_as_written(text: str) -> None:
    """SecretRef.parse and str are inverse."""
    assert str(SecretRef.parse(text)) == text


@pytest.mark.parametrize("text", ["", "env", ":NAME", "env:", "env:#f"])
def test_a_reference_needs_provider_and_path(text: str) -> None:
    """What names no provider or no path is no reference."""
    with pytest.raises(ValueError, match="does not name a secret"):
        SecretRef.parse(text)


def test_a_job_lists_its_secrets_once_and_by_provider() -> None:
    """References are found nested and in templates, each once, in the order written."""
    a, b = SecretRef("env", "A"), SecretRef("vault", "B")
    job = JobConfig("j", "p", {"x": [{"y": b}], "t": SecretTemplate("{a}", (("a", a),)), "z": a})
    assert job.all_secrets() == (b, a)
    assert job.secrets("env") == (a,)


@pytest.mark.parametrize(
    ("patterns", "is_for"), [(("*",), True), (("col-*",), True), (("gpu",), True), (("db-*",), False), ((), False)]
)
def test_a_job_runs_where_a_pattern_matches_name_or_label(patterns: tuple[str, ...], *, is_for: bool) -> None:
    """Patterns are compared with the node's name and each label."""
    assert JobConfig("j", "p", nodes=patterns).is_for(Node("col-1", ("gpu", "big"))) is is_for


def test_an_origin_knows_the_nearest_line() -> None:
    """A key without a line of its own is placed at the table around it; a source without lines is named alone."""
    origin = Origin("ujr.toml", {("jobs",): 3, ("jobs", "a"): 5, ("jobs", "a", "x"): 7})
    assert origin.where(("jobs", "a", "x", "0")) == "ujr.toml:7"
    assert origin.below("jobs", "a").where(("y",)) == "ujr.toml:5"
    assert origin.below("jobs").below("a").where(("x",)) == "ujr.toml:7"
    assert Origin("db").where(("x",)) == "db"


@pytest.mark.parametrize(
    "name", ["Backoff", "Job", "JobConfig", "Node", "Result", "Start", "Task", "TaskRun", "NextCheck"]
)
def test_values_are_frozen(name: str) -> None:
    """No plugin can change what another one sees."""
    cls = getattr(ujr_core, name)
    instance = object.__new__(cls)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(instance, attrs.fields(cls)[0].name, 1)


def test_an_error_reads_in_four_parts_and_survives_pickling() -> None:
    """Code, what, where and fix each have their place; the copy reads the same."""
    error = ConfigError("config-x", "it is wrong", "ujr.toml:1", "mend it")
    assert str(error) == "error[config-x]: it is wrong\n  where: ujr.toml:1\n  fix:   mend it"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_faults_show_every_fault_and_survive_pickling() -> None:
    """Faults are one error that shows all."""
    faults = Faults((ConfigError("a", "one"), PluginError("b", "two")))
    assert str(faults) == "error[a]: one\nerror[b]: two"
    copied = pickle.loads(pickle.dumps(faults))
    assert [type(one) for one in copied.faults] == [ConfigError, PluginError]
    assert isinstance(faults, UJRError)


def test_only_a_near_word_is_suggested() -> None:
    """A suggestion is made for a slip, and none for something else."""
    assert did_you_mean("timout", ["timeout", "grace"]) == 'did you mean "timeout"?'
    assert did_you_mean("xyz", ["timeout", "grace"]) == ""


def test_importing_the_package_costs_little() -> None:
    """`import ujr_core` pulls in no plugin, no cattrs, no click, rich or loguru."""
    code = "import sys, ujr_core; print([m for m in sys.modules if m.split('.')[0] in sys.argv[1:]])"
    heavy = ["pluggy", "attr", "cattrs", "click", "rich", "loguru", "hypothesis"]
    done = subprocess.run(
        [sys.executable, "-c", code, *heavy], capture_output=True, text=True, check=True, env=_environ()
    )
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there() -> None:
    """Whatever __all__ lists can be imported, and nothing else is made up."""
    for name in ujr_core.__all__:
        assert getattr(ujr_core, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        ujr_core.nothing  # noqa: B018  # the access is the test


def _environ() -> dict[str, str]:
    return {"PYTHONPATH": ":".join(sys.path)}
