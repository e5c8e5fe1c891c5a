"""Settings that cannot work, or would show a secret, are found before anything is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from http_fixtures import CANARY

from ujr_core.testing import load_plugins
from ujr_plugin_http import Http
from ujr_plugin_http.address import shown

GOOD = "https://config.example.org/jobs.toml"
NO_URL = "a URL is https://, a name, and the path of a document; other letters than A to Z as %…"
NO_USER = 'a URL holds no user and no password; write token = { env = "NAME" }, or headers'
NO_HTTP = (
    "http:// to another machine lets whoever is in between write your jobs; "
    "write https://, or insecure = true if that is meant"
)

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no scheme": ({"url": "config.example.org/jobs.toml"}, NO_URL),
    "a file": ({"url": "file:///etc/passwd"}, NO_URL),
    "no host": ({"url": "https:///jobs.toml"}, NO_URL),
    "a port that is none": ({"url": f"https://h:{CANARY}/"}, NO_URL),
    "port 0": ({"url": "https://h:0/"}, NO_URL),
    "a space": ({"url": "https://h/a b"}, NO_URL),
    "a line break": ({"url": "https://h/a\r\nX: y"}, NO_URL),
    "other letters": ({"url": "https://h/jöbs"}, NO_URL),
    "an endless label": ({"url": f"https://{'a' * 64}.org/"}, NO_URL),
    "a broken address": ({"url": "https://[::1/"}, NO_URL),
    "a password": ({"url": f"https://u:{CANARY}@h/"}, NO_USER),
    "a user": ({"url": "https://u@h/"}, NO_USER),
    "a fragment": ({"url": "https://h/jobs#a"}, "a URL ends before the #, for a document is read as a whole"),
    "http to elsewhere": ({"url": "http://h/"}, NO_HTTP),
    "http to what begins like loopback": ({"url": "http://localhost.example.org/"}, NO_HTTP),
    "no time": ({"timeout": 0}, "it is more than nothing"),
    "a token of two places": ({"token": {"env": "A", "file": "b"}}, 'either "env" or "file" says where it is'),
    "a token of none": ({"token": {}}, 'either "env" or "file" says where it is'),
    "a token in clear": (
        {"token": CANARY},
        'a token does not stand in the configuration; write { env = "NAME" } or { file = "path" }',
    ),
    "a secret header": (
        {"headers": {"X-Api-Key": CANARY}},
        '"X-Api-Key" sounds secret; write { env = "NAME" } or { file = "path" } for its value',
    ),
    "authorization in clear": (
        {"headers": {"authorization": CANARY}},
        '"authorization" sounds secret; write { env = "NAME" } or { file = "path" } for its value',
    ),
    "a header of ours": ({"headers": {"If-None-Match": "x"}}, 'the header "If-None-Match" is set by the plugin itself'),
    "a header that is none": ({"headers": {"X: y": "z"}}, "the name of a header has only letters, digits and dashes"),
    "a value of two lines": (
        {"headers": {"X-A": "b\r\nX-B: c"}},
        'the value of "X-A" has a character that no header can hold',
    ),
    "authorization twice": (
        {"token": {"env": "A"}, "headers": {"Authorization": {"env": "B"}}},
        "token is sent as Authorization; one of both is enough",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_settings_that_cannot_work_are_refused(case: str, tmp_path: Path) -> None:
    """Each is a fault of the configuration, that says what to write and shows no secret."""
    table, what = WRONG[case]
    with load_plugins(
        ("http", Http), settings={"http": {"url": GOOD, "plugins": ["*"], **table}}, folder=tmp_path
    ) as plugins:
        (fault,) = plugins.errors
    assert what in fault.what
    assert CANARY not in str(fault)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/", "http://127.8.9.1:8080/jobs", "http://[::1]:8080/", "http://localhost/jobs.toml", GOOD],
)
def test_plain_http_is_for_this_machine(url: str) -> None:
    """Loopback needs no TLS."""
    assert Http.Settings(url=url, plugins=("*",)).url == url


@pytest.mark.parametrize("table", [{}, {"plugins": []}])
def test_which_plugins_the_document_may_name_has_to_be_said(table: dict[str, Any], tmp_path: Path) -> None:
    """There is no default: who writes it would otherwise run any command, and nobody had chosen that."""
    with load_plugins(("http", Http), settings={"http": {"url": GOOD, **table}}, folder=tmp_path) as plugins:
        (fault,) = plugins.errors
    assert str(fault) == (
        'error[config-wrong-value]: plugin "http" has a wrong value: url needs plugins: the job plugins that the '
        'document may name, such as plugins = ["weather.jobs"]; who can write the document chooses among them, and can '
        'run any command if "command" or "call" is one\n'
        "  where: <python>, plugins.http\n"
        "  fix:   correct the value; what it may be stands in ujr_plugin_http.settings.Settings"
    )


def test_plain_http_to_elsewhere_may_be_meant() -> None:
    """It takes one word more."""
    assert Http.Settings(url="http://h/", insecure=True, plugins=("*",)).insecure


def test_settings_show_no_secret() -> None:
    """Neither the URL, which may hold a token, nor headers are in their repr."""
    settings = Http.Settings(url=f"{GOOD}?token={CANARY}", headers={"X-Tenant": CANARY}, plugins=("*",))
    assert CANARY not in repr(settings)


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        (GOOD, GOOD),
        (f"https://u:{CANARY}@h:1/a/b?c={CANARY}#{CANARY}", "https://h:1/a/b?…"),
        ("https://[::1]:8/a", "https://[::1]:8/a"),
        (f"https://h:{CANARY}/", "a URL that cannot be read"),
    ],
)
def test_what_may_be_secret_in_a_url_is_not_shown(url: str, seen: str) -> None:
    """Who asks, and what is asked for, are left out."""
    assert shown(url) == seen
