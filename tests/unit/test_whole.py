"""What ``ujr status`` writes: all that is wrong, and each of it once."""

from __future__ import annotations

import re
from typing import Any

from tests.answers import FAULT, NOW, an_answer
from ujr_core.cli.view import picture
from ujr_core.cli.whole import whole


def written(**configuration: Any) -> list[str]:
    """Return the lines for a configuration."""
    return [line.plain for line in whole(an_answer(configuration=configuration))]


def source(name: str, jobs: int, state: str = "good", text: str = "") -> dict[str, Any]:
    """Return a config source as a runner tells of it."""
    return {"name": name, "state": state, "jobs": jobs, "read_at": NOW, "next_read": None, "text": text}


def failed(*sources: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration whose last reload found a fault."""
    last = {"at": NOW - 12, "ok": False, "text": "", "faults": [FAULT], "count": 1}
    return {"last_reload": last, "sources": list(sources)}


def test_a_fault_stands_once_with_its_four_parts() -> None:
    """The source says it short, and the line of the reload says where to look."""
    lines = "\n".join(written(**failed(source("toml", 6, "failed", FAULT["what"]))))
    assert re.search(r"\nreload   failed 12 s ago \(\d\d:\d\d:\d\d\): see below\n", lines)
    assert f"\nsource   toml: failed: {FAULT['what']}\n" in lines
    assert lines.endswith(
        f"error[{FAULT['code']}]: {FAULT['what']}\n  where: {FAULT['where']}\n  fix:   {FAULT['fix']}"
    )
    assert lines.count(FAULT["where"]) == 1


def test_the_picture_has_no_room_to_say_a_fault_twice() -> None:
    """It is told with its place beside the reload; a source that failed for another reason tells its own."""
    sources = source("toml", 6, "failed", FAULT["what"]), source("sql", 2, "failed", "no route")
    told = picture(an_answer(configuration=failed(*sources)), age=0, width=200, height=20)
    assert [line.plain for line in told[3:]] == [
        f"reload   failed 12 s ago: {FAULT['what']}, {FAULT['where']}",
        "source   toml: failed",
        "source   sql: failed: no route",
    ]


def test_sources_that_bring_nothing_and_are_well_are_not_named() -> None:
    """A plugin that is installed and not set up is one of them; one that failed is named, whatever it brings."""
    (config,) = (line for line in written(sources=[source("http", 0), source("toml", 6)]) if line.startswith("config"))
    assert "from" not in config
    brings = [source("http", 0), source("sql", 0, "failed", "no route"), source("toml", 6)]
    (config,) = (line for line in written(sources=brings) if line.startswith("config"))
    assert config.endswith("; from sql (0), toml (6)")
