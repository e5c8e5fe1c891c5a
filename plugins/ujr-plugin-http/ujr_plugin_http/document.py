"""A document of jobs: what stands in it, read from TOML or JSON."""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from ujr_core import ConfigError, Faults, JobTable, Origin, parse_toml, printable
from ujr_plugin_http.content import Format
from ujr_plugin_http.settings import Settings

EMPTY: dict[Format, str] = {"toml": "jobs = {}", "json": '{"jobs": {}}'}


def jobs_of(text: str, form: Format, url: str) -> Mapping[str, JobTable]:
    """Return the jobs that a document names, each with its place; none of them is checked.

    Args:
        text: of the document.
        form: that it is in.
        url: fit to be shown.

    Raises:
        ConfigError: it is malformed, or has no ``jobs``.
        Faults: it has something beside them.
    """
    document = parse_toml(text, url) if form == "toml" else _parse_json(text, url)
    origin = document.origin
    if others := [key for key in document.mapping if key != "jobs"]:
        raise Faults(tuple(_unknown(key, origin) for key in others))
    if "jobs" not in document.mapping:
        # Nothing at all is what a server sends that has lost the document; no jobs are said in so many words.
        fix = f"write one table for each job, or {EMPTY[form]} if there are none"
        raise ConfigError("config-missing-key", f'"{url}" has no table "jobs"', url, fix)
    jobs = document.mapping["jobs"]
    if not isinstance(jobs, Mapping):
        where = f"{origin.where(('jobs',))}, jobs"
        raise ConfigError("config-wrong-type", f'"jobs" of "{url}" is no table', where, "write [jobs.NAME] tables")
    return MappingProxyType({name: JobTable(table, origin.below("jobs", name)) for name, table in jobs.items()})


def not_allowed(jobs: Mapping[str, JobTable], settings: Settings, table: str) -> Iterator[ConfigError]:
    """Return a fault for each job whose plugin is not among those that its document may name.

    Args:
        jobs: by name.
        settings: for the plugins that the document may name.
        table: key path of these settings.
    """
    for name, job in jobs.items():
        plugin = _plugin_of(name, job.mapping)
        if isinstance(plugin, str) and not settings.allows(plugin):
            what = f'job "{_short(name)}" names the plugin "{_short(plugin)}", which this document may not'
            where = f"{job.origin.where(('plugin',))}, jobs.{_short(name)}.plugin"
            listed = ", ".join(f'"{pattern}"' for pattern in (*settings.plugins, _short(plugin)))
            fix = f"if who writes the document may choose it, write plugins = [{listed}] in [{table}]"
            yield ConfigError("http-plugin-not-allowed", what, where, fix)


def _plugin_of(name: str, table: object) -> object:
    # As it was written: whether that is a table, and a plugin a text, is the core's business. The core takes a name in
    # this form, and the name of the job for that of its plugin.
    default = unicodedata.normalize("NFC", name)
    return table.get("plugin", default) if isinstance(table, Mapping) else default


def _short(name: str) -> str:
    return printable(name if len(name) <= 200 else f"{name[:60]}…")


def _unknown(key: str, origin: Origin) -> ConfigError:
    what = f'a document of jobs has no key "{printable(key)}"'
    fix = "remove it: what is of the runner stands in the runner's own configuration"
    return ConfigError("config-unknown-key", what, f"{origin.where((key,))}, {printable(key)}", fix)


def _parse_json(text: str, url: str) -> JobTable:
    try:
        document = json.loads(text, object_pairs_hook=_object, parse_constant=_no_number, parse_float=_number)
        json.dumps(document, ensure_ascii=False).encode()  # half a character, "\ud800", would fail much later
    except json.JSONDecodeError as error:
        raise _malformed(error.msg, f"{url}:{error.lineno}:{error.colno}") from None
    except RecursionError:
        raise _malformed("it is nested too deep", url) from None
    except UnicodeEncodeError:
        raise _malformed('it has half a character, such as "\\ud800"', url) from None
    except ValueError as error:  # one of ours, or a number of 5,000 digits
        raise _malformed(str(error), url) from None
    if not isinstance(document, dict):
        raise _malformed("it is no object", url)
    return JobTable(document, Origin(url))


def _malformed(why: str, where: str) -> ConfigError:
    return ConfigError("config-malformed", f"this is not JSON: {why}", where, "see https://www.json.org for the syntax")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:  # of two jobs of one name, json would take the last and say nothing
            raise ValueError(f'the key "{printable(key)}" stands twice in one object')
        found[key] = value
    return found


def _no_number(text: str) -> float:
    raise ValueError(f"it has {text}, which is no number of JSON")


def _number(text: str) -> float:
    if math.isinf(number := float(text)):
        raise ValueError(f"the number {text[:40]} is too large")
    return number
