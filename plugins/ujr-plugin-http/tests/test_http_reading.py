"""What a document says is read, and what has not changed is not read again."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from document_server import Asked, DocumentServer, reply
from http_fixtures import TOML, read, refusal, source_of, start_in

from ujr_core import Faults, Origin
from ujr_plugin_http import Http

JOBS = {"nightly": {"plugin": "command", "params": {"argv": ["true"]}}, "hourly": {"plugin": "command"}}
JSON = '{"jobs": {"nightly": {"plugin": "command", "params": {"argv": ["true"]}}, "hourly": {"plugin": "command"}}}'


def tables(source: Http) -> dict[str, Any]:
    """Return the tables that a source answers."""
    return {name: table.mapping for name, table in read(source).items()}


def test_no_url_is_no_source() -> None:
    """Installed and not configured, the plugin names nothing and asks nobody."""
    assert Http(Http.Settings()).config_source(start_in(Path("/"))) is None


def test_each_job_of_toml_knows_its_line(server: DocumentServer) -> None:
    """A job is its table, and an error in it will name URL and line."""
    source = source_of(server)
    assert tables(source) == JOBS
    origin = read(source)["hourly"].origin
    assert origin.where() == f"{server.url}:5"
    assert origin.where(("plugin",)) == f"{server.url}:6"


def test_each_job_of_json_knows_its_document(server: DocumentServer) -> None:
    """The same in JSON, which has no lines."""
    server.answer = reply(JSON, Content_Type="application/json")
    source = source_of(server)
    assert tables(source) == JOBS
    assert read(source)["hourly"].origin == Origin(server.url)


def test_what_is_asked_behind_the_path_is_in_no_place(server: DocumentServer) -> None:
    """The place of a job is shown in lists and logs; a token that somebody put into the URL is not."""
    origin = read(source_of(server, url=f"{server.url}?key=hunter2"))["hourly"].origin
    assert origin.where() == f"{server.url}?…:5"


@pytest.mark.parametrize(
    ("path", "kind", "form", "text"),
    [
        ("/jobs", "application/toml", None, TOML),
        ("/jobs", "application/json; charset=utf-8", None, JSON),
        ("/jobs", "application/vnd.example+json", None, JSON),
        ("/jobs.json", "application/toml", None, TOML),
        ("/jobs.json", "text/plain", None, JSON),
        ("/JOBS.JSON?as=toml", "", None, JSON),
        ("/jobs.toml", "application/octet-stream", None, TOML),
        ("/jobs.toml", "application/toml", "json", JSON),
        ("/jobs", "text/html", "toml", TOML),
        ("/jobs", "", "toml", TOML),
    ],
)
def test_the_format_is_what_is_set_or_the_type_or_the_end(
    server: DocumentServer, path: str, kind: str, form: Any, text: str
) -> None:
    """The setting wins over the Content-Type, and that over the end of the path."""
    server.answer = reply(text, Content_Type=kind)
    assert tables(source_of(server, url=server.url.replace("/jobs.toml", path), format=form)) == JOBS


@pytest.mark.parametrize(
    ("kind", "said"),
    [("text/plain", 'its Content-Type is "text/plain"'), ("", "it has no Content-Type")],
)
def test_a_format_that_nothing_tells_is_not_guessed(server: DocumentServer, kind: str, said: str) -> None:
    """Where nothing tells the format, the setting is named that does."""
    server.answer = reply(TOML, Content_Type=kind)
    url = server.url.removesuffix(".toml")
    assert str(refusal(source_of(server, url=url))) == (
        f'error[http-wrong-document]: "{url}" does not tell whether it is TOML or JSON: {said}\n'
        '  where: plugins.http.url\n  fix:   set format = "toml" or "json" in [plugins.http]'
    )


@pytest.mark.parametrize("text", ["\ufeff" + TOML, TOML.replace("\n", "\r\n")], ids=["BOM", "CRLF"])
def test_what_editors_of_windows_write_is_read(server: DocumentServer, text: str) -> None:
    """A byte order mark, or other ends of lines, are no fault."""
    server.answer = reply(text)
    assert tables(source_of(server)) == JOBS


def test_a_packed_document_is_read(server: DocumentServer) -> None:
    """Gzip is asked for, and unpacked."""
    server.answer = reply(gzip.compress(TOML.encode()), Content_Encoding="gzip")
    assert tables(source_of(server)) == JOBS
    assert server.asked[0].headers["accept-encoding"] == "gzip"


def test_a_document_in_chunks_is_read(server: DocumentServer) -> None:
    """A server that does not know the length beforehand sends chunks."""
    half = TOML.encode()[:40], TOML.encode()[40:]
    chunks = [b"%x\r\n%s\r\n" % (len(part), part) for part in (*half, b"")]
    server.answer = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *chunks]
    assert tables(source_of(server)) == JOBS


def test_an_empty_jobs_is_an_answer(server: DocumentServer) -> None:
    """That there are no jobs is said by an empty table."""
    server.answer = reply("jobs = {}")
    assert tables(source_of(server)) == {}


def test_a_document_that_its_server_says_is_unchanged_is_not_read(server: DocumentServer) -> None:
    """Its tag is sent back, and a 304 stands for the very object that was answered before; then a change is seen."""
    server.answer = lambda asked: (
        reply(status=304) if asked.headers.get("if-none-match") == 'W/"1"' else reply(TOML, ETag='W/"1"')
    )
    source = source_of(server)
    first = read(source)
    assert read(source) is first
    assert "if-none-match" not in server.asked[0].headers
    server.answer = reply('[jobs.other]\nplugin = "command"\n', ETag='W/"2"')
    assert list(read(source)) == ["other"]
    read(source)
    assert server.asked[-1].headers["if-none-match"] == 'W/"2"'


def test_a_fault_forgets_nothing(server: DocumentServer) -> None:
    """After a failure and a wrong document, the last good one is still known by its tag."""
    server.answer = reply(TOML, ETag='"good"')
    source = source_of(server)
    first = read(source)
    for fault in (reply(status=500), reply("[runner]", ETag='"bad"')):
        server.answer = fault
        refusal(source)
    server.answer = reply(status=304)
    assert read(source) is first
    assert server.asked[-1].headers["if-none-match"] == '"good"'


def test_the_same_bytes_are_the_same_answer(server: DocumentServer) -> None:
    """A server without tags sends the whole each time, and nothing is parsed again; in another format it is."""
    source = source_of(server)
    first = read(source)
    assert read(source) is first
    server.answer = reply(TOML, Content_Type="application/json")
    assert refusal(source).code == "config-malformed"


LATER, SOONER = "Tue, 01 Dec 2026 06:00:01 GMT", "Tue, 01 Dec 2026 06:00:00 GMT"


@pytest.mark.parametrize(
    ("sent", "is_asked"),
    [(LATER, True), (SOONER, False), ("", False), ("yesterday", False), ("1 Dec 2026 06:00:01 -0000", False)],
)
def test_a_date_is_asked_by_only_if_it_is_sure(server: DocumentServer, sent: str, is_asked: bool) -> None:
    """A document may change twice in a second, and a date has only seconds: one of just now is not relied on."""
    server.answer = reply(TOML, Last_Modified=SOONER, Date=sent)
    source = source_of(server)
    read(source)
    read(source)
    assert server.asked[1].headers.get("if-modified-since") == (SOONER if is_asked else None)


def test_a_tag_that_no_header_can_hold_is_not_sent(server: DocumentServer) -> None:
    """A strange tag costs a reading, and no failure."""
    server.answer = reply(TOML, ETag='"\xe9"')
    source = source_of(server)
    assert read(source) is read(source)
    assert "if-none-match" not in server.asked[1].headers


WRONG: dict[str, tuple[str, str, str, str, str]] = {
    # text, code, what, where behind the URL, fix
    "nothing": ("", "config-missing-key", '"{url}" has no table "jobs"', "",
                "write one table for each job, or jobs = {} if there are none"),
    "no jobs in JSON": ("{}", "config-missing-key", '"{url}" has no table "jobs"', "",
                        'write one table for each job, or {"jobs": {}} if there are none'),
    "a runner": ("jobs = {}\n[runner]\nworkers = 4\n", "config-unknown-key",
                 'a document of jobs has no key "runner"', ":2, runner",
                 "remove it: what is of the runner stands in the runner's own configuration"),
    "jobs that are no table": ("# jobs\njobs = 5\n", "config-wrong-type",
                               '"jobs" of "{url}" is no table', ":2, jobs", "write [jobs.NAME] tables"),
    "jobs that are null": ('{"jobs": null}', "config-wrong-type", '"jobs" of "{url}" is no table', ", jobs",
                           "write [jobs.NAME] tables"),
    "half a TOML": ('[jobs.a]\nplugin = "comm', "config-malformed",
                    "this is not TOML: Unterminated string", ":2", "see https://toml.io for the syntax"),
    "a job twice": ("[jobs.a]\n[jobs.a]\n", "config-malformed", "this is not TOML: Cannot declare ('jobs', 'a') twice",
                    ":2:8", "see https://toml.io for the syntax"),
    "half a JSON": ('{"jobs": {"a": ', "config-malformed", "this is not JSON: Expecting value", ":1:16",
                    "see https://www.json.org for the syntax"),
    "a job twice in JSON": ('{"jobs": {"a": {}, "a": {}}}', "config-malformed",
                            'this is not JSON: the key "a" stands twice in one object', "",
                            "see https://www.json.org for the syntax"),
    "no number": ('{"jobs": {"a": {"every": NaN}}}', "config-malformed",
                  "this is not JSON: it has NaN, which is no number of JSON", "",
                  "see https://www.json.org for the syntax"),
    "an infinite number": ('{"jobs": {"a": {"every": 1e999}}}', "config-malformed",
                           "this is not JSON: the number 1e999 is too large", "",
                           "see https://www.json.org for the syntax"),
    "half a character": ('{"jobs": {"a": {"plugin": "\\ud800"}}}', "config-malformed",
                         'this is not JSON: it has half a character, such as "\\ud800"', "",
                         "see https://www.json.org for the syntax"),
    "a deep JSON": ('{"jobs": ' + "[" * 100_000, "config-malformed", "this is not JSON: it is nested too deep", "",
                    "see https://www.json.org for the syntax"),
    "an array": ("[]", "config-malformed", "this is not JSON: it is no object", "",
                 "see https://www.json.org for the syntax"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_document_of_jobs_is_refused(server: DocumentServer, case: str) -> None:
    """What is malformed, has no jobs, or has more than jobs, is refused as a whole, with its line where it has one."""
    text, code, what, where, fix = WRONG[case]
    is_json = text.startswith(("{", "[]"))
    server.answer = reply(text, Content_Type="application/json" if is_json else "application/toml")
    error = refusal(source_of(server))
    assert str(error) == (
        f"error[{code}]: {what.replace('{url}', server.url)}\n  where: {server.url}{where}\n  fix:   {fix}"
    )


def test_a_number_of_ten_thousand_digits_is_refused(server: DocumentServer) -> None:
    """What Python refuses to convert is a fault of the document, and no crash."""
    server.answer = reply('{"jobs": {"a": {"every": ' + "9" * 10_000 + "}}}", Content_Type="application/json")
    assert refusal(source_of(server)).code == "config-malformed"


def test_all_keys_that_mean_nothing_are_told_at_once(server: DocumentServer) -> None:
    """Nobody mends a document one key a refresh."""
    server.answer = reply("runner = {}\nlimits = {}\n")
    error = refusal(source_of(server))
    assert isinstance(error, Faults)
    assert [fault.where for fault in error.faults] == [f"{server.url}:1, runner", f"{server.url}:2, limits"]


def test_a_document_may_name_only_the_plugins_that_are_allowed(server: DocumentServer) -> None:
    """Who writes it chooses among these; a job without a plugin has the one that is called as the job."""
    named = '[jobs.a]\nplugin = "weather.jobs"\n[jobs.shell]\nplugin = "command"\n[jobs.command]\n[jobs.call]\n'
    server.answer = reply(named)
    error = refusal(source_of(server, plugins=("weather.*", "call")))
    assert isinstance(error, Faults)
    assert [fault.where for fault in error.faults] == [
        f"{server.url}:4, jobs.shell.plugin",
        f"{server.url}:5, jobs.command.plugin",
    ]
    assert str(error.faults[0]) == (
        'error[http-plugin-not-allowed]: job "shell" names the plugin "command", which this document may not\n'
        f"  where: {server.url}:4, jobs.shell.plugin\n"
        "  fix:   if who writes the document may choose it, "
        'write plugins = ["weather.*", "call", "command"] in [plugins.http]'
    )
    assert len(read(source_of(server, plugins=("weather.*", "call", "command")))) == 4


@pytest.mark.parametrize("name", ["caf\u00e9", "cafe\u0301"])
def test_a_job_is_called_as_the_core_calls_it(server: DocumentServer, name: str) -> None:
    """However its name is written, it stands for the plugin of that name, and for no other."""
    server.answer = reply(f'[jobs."{name}"]\n')
    assert list(read(source_of(server, plugins=("caf\u00e9",)))) == [name]
    refusal(source_of(server, plugins=("cafe\u0301",)))


def test_what_is_no_plugin_is_left_to_the_core(server: DocumentServer) -> None:
    """It knows best what to say of a job that is no table, and of a plugin that is no text."""
    server.answer = reply("[jobs]\na = 5\nb = { plugin = 5 }\n")
    assert list(read(source_of(server, plugins=("a",)))) == ["a", "b"]


def test_asking_says_which_format_is_wanted(server: DocumentServer) -> None:
    """A server that has both is told which of them is meant."""
    server.answer = _by_accept
    assert tables(source_of(server, url=server.url.removesuffix(".toml"), format="json")) == JOBS
    assert tables(source_of(server, url=server.url.removesuffix(".toml"), format="toml")) == JOBS


def _by_accept(asked: Asked) -> bytes:
    return reply(JSON if asked.headers["accept"].startswith("application/json") else TOML)
