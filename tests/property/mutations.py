"""Mutations: what accidents, editors and people do to the text of a configuration."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

Files = dict[str, bytes]
"""Content by path, from the folder of the configuration."""

Mutation = Callable[[bytes, random.Random], bytes]

MAIN = "ujr.toml"

WHOLE: Files = {
    MAIN: b"""\
# The stations of the north.
[runner]
workers = 4
plugins = ["weather.jobs", "weather.extra:Object"]
check_interval = "500ms"
shutdown_timeout = 25.0

[node]
name = "collector-1"
labels = ["north", "\xc3\xa9tage"]
facts = { rack = 3, tags = ["a", "b"], since = 2024-05-27T07:32:00Z }

[limits]
station-api = { concurrent = 2, rate = "900/15m" }

[plugins.log]
level = "DEBUG"

[jobs.stations-north]
plugin = "weather.jobs"
every = "10m"
nodes = ["collector-*"]
timeout = "2m"
max_tasks = 8
backoff = { first = "1s", factor = 2.0, max = "5m" }
[jobs.stations-north.params]
region = "north"
depth = -12
api_key = { secret = "vault:kv/weather#api_key" }
dsn = { template = "db://u:{pw}@h", pw = { secret = "env:PW" } }
""",
    "ujr.d/10-nightly.toml": b"""\
[jobs.nightly]
plugin = "command"
cron = "30 2 * * *"
timezone = "Europe/Berlin"
missed = "skip"
memory = "500MB"
on_stop = "finish"
params = { argv = ["make", "report"], env = { LC_ALL = "C" }, success_codes = [0, 3] }
""",
    "ujr.d/20-caf\xc3\xa9.toml": b"""\
runner.plugins = ["cafe"]
[jobs."caf\xc3\xa9"]
at = 2031-01-01T00:00:00Z
spread = "5m"
enabled = false
[jobs."caf\xc3\xa9".params]
text = '''
several
lines'''
""",
}
SMALL: Files = {
    MAIN: b"""\
runner.workers = 2
[jobs.count-words]
plugin = "call"
timeout = 3.5
params.function = "words:count"
params.args = [[1, 2], { a = "b" }]
[jobs.tidy]
plugin = "command"
continuous = true
params.shell = "echo tidy"
""",
    "ujr.d/jobs.toml": b"""\
[jobs.more]
plugin = "call"
[jobs.more.params]
function = "words:more"
[[jobs.more.params.kwargs.items]]
n = 1
[[jobs.more.params.kwargs.items]]
n = 2
""",
}
DOTTED: Files = {
    MAIN: b"""\
"runner"."executor" = "dask"
'node'.labels = []
jobs."a.b:c@d+e".plugin = "p"
jobs."a.b:c@d+e".give_up_after = 3
jobs.a.nodes = ["*"]
jobs.a.ask_timeout = 60
jobs.a.params = {}
"""
}
WINDOWS: Files = {
    MAIN: b"\xef\xbb\xbf[runner]\r\nstate_dir = '.ujr'\r\nrecycle = 100\r\nrecycle_memory = '1GB'\r\n\r\n"
    b"[jobs.x]\r\nplugin = 'command'\r\nparams.argv = [\r\n  'dir', # all\r\n]\r\n"
}
SEEDS = (WHOLE, SMALL, DOTTED, WINDOWS)

_LITERALS = (
    b"true", b"0", b"-1", b"1e400", b"nan", b"-inf", b"9" * 400, b"9" * 5000, b"0x" + b"f" * 300, b'""', b'"5"', b"[]",
    b"[[]]", b"{}", b'{ secret = "" }', b'{ secret = "env:A" }', b'{ secret = 5 }', b'{ template = "{a}" }',
    b'"\\u0000"', b"1979-05-27", b"07:32:00", b"1979-05-27T00:32:00-07:00", b"9999-12-31T23:59:59.999999Z",
    b"[" * 60 + b"]" * 60, b"[" * 5000, b"{a=" * 500, b'"\xc3\xa9"', b"\xff", b"", b'"""', b"'''\n\n'''",
    b"9223372036854775808",
)  # fmt: skip
_KEYS = (
    b"timout", b"plugin", b'"\xe2\x80\xae"', b'""', b'" "', b"jobs", b"runner.workers", b"a" * 300, b'"a\\nb"',
    b".".join([b"k"] * 101), b".".join([b"k"] * 600), b"params.secret", b'"\\u0000"', b'"-x"', b"secret",
)  # fmt: skip
_NAMES = (
    "cafe\N{COMBINING ACUTE ACCENT}", "c\N{CYRILLIC SMALL LETTER A}f\xe9", "caf\xe9\N{ZERO WIDTH SPACE}",
    "caf\xe9\N{ZERO WIDTH JOINER}", "\N{RIGHT-TO-LEFT OVERRIDE}caf\xe9", "CAF\xc9", "caf\xe9 ", "\ufb01le", "\u212b",
    "nightly\N{COMBINING DOT BELOW}", "n\N{FULLWIDTH LATIN SMALL LETTER I}ghtly", "../x", "-x", "a\\u001b[31m",
)  # fmt: skip


def truncated(text: bytes, rng: random.Random) -> bytes:
    """Cut anywhere, as by a full disk."""
    return text[: rng.randrange(len(text) + 1)]


def flipped(text: bytes, rng: random.Random) -> bytes:
    """With some bits turned, or bytes replaced."""
    changed = bytearray(text or b"x")
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(changed))
        changed[at] = rng.choice([changed[at] ^ (1 << rng.randrange(8)), rng.randrange(256)])
    return bytes(changed)


def put_in(text: bytes, rng: random.Random) -> bytes:
    """With bytes put in that belong nowhere, or at the start at most."""
    strange = rng.choice(
        [b"\0", b"\xef\xbb\xbf", b"\r", b"\r\n", b"\xff\xfe", b"\xc3", b"\x1b[2J", b"\t", b"\xed\xa0\x80"]
    )
    at = rng.randrange(len(text) + 1)
    return text[:at] + strange + text[at:]


def of_other_lines(text: bytes, rng: random.Random) -> bytes:
    """With lines doubled, swapped, deleted or moved."""
    lines = text.splitlines(keepends=True) or [b"\n"]
    one, two = rng.randrange(len(lines)), rng.randrange(len(lines))
    match rng.randrange(4):
        case 0:
            lines.insert(two, lines[one])
        case 1:
            lines[one], lines[two] = lines[two], lines[one]
        case 2:
            del lines[min(one, two) : min(one, two) + rng.randint(1, 3)]
        case _:
            lines.insert(two, lines.pop(one))
    return b"".join(lines)


def of_other_values(text: bytes, rng: random.Random) -> bytes:
    """With another value behind a key."""
    pairs = list(re.finditer(rb"= *([^\n]*)", text))
    if not pairs:
        return text + b"x = 1\n"
    pair = rng.choice(pairs)
    return text[: pair.start(1)] + rng.choice(_LITERALS) + text[pair.end(1) :]


def of_other_keys(text: bytes, rng: random.Random) -> bytes:
    """With a key more, or another one."""
    at = rng.choice([0, *(match.end() for match in re.finditer(rb"\n", text))])
    return text[:at] + rng.choice(_KEYS) + b" = " + rng.choice(_LITERALS) + b"\n" + text[at:]


def of_other_tables(text: bytes, rng: random.Random) -> bytes:
    """With a table doubled, made an array, or another one."""
    headers: list[bytes] = re.findall(rb"^\[[^\n]*\]", text, re.MULTILINE)
    header = rng.choice([*headers, b"[jobs]", b"[jobs.x]", b"[runner]", b"[tool]"])
    return text + rng.choice([header, b"[" + header + b"]", header[:-1] + b".params]"]) + b"\nplugin = 'p'\n"


def of_look_alikes(text: bytes, rng: random.Random) -> bytes:
    """With a job whose name looks like that of another."""
    name = rng.choice(_NAMES)
    return text + f'\n[jobs."{name}"]\nplugin = "p"\n'.encode()


def of_all(text: bytes, rng: random.Random) -> bytes:
    """Changed in two ways at once."""
    one, two = rng.sample(MUTATIONS[:-1], 2)
    once: bytes = one(text, rng)
    return two(once, rng)


MUTATIONS: tuple[Mutation, ...] = (
    truncated, flipped, put_in, of_other_lines, of_other_values, of_other_keys, of_other_tables, of_look_alikes, of_all,
)  # fmt: skip


def cut_everywhere(files: Files, name: str) -> list[Files]:
    """Return a configuration once for each byte at which one of its files can end."""
    content = files[name]
    return [{**files, name: content[:end]} for end in range(len(content))]


def mutated(files: Files, mutation: Mutation, rng: random.Random) -> Files:
    """Return a configuration of which one file was changed."""
    name = rng.choice(sorted(files))
    changed = mutation(files[name], rng)
    if rng.random() < 0.1:  # and once more beside itself, as by a copy that was to be edited
        return {**files, name: changed, "ujr.d/99-copy.toml": files[name]}
    return {**files, name: changed}
