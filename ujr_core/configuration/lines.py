"""Lines of keys in a TOML text; `tomllib` reads the values and tells no places."""

from __future__ import annotations

import bisect
import contextlib
import re
import tomllib
from collections.abc import Iterator

from ujr_core.configuration.depth import DEEPEST, KeyPath

_BLANK = re.compile(r"\s*(?:#[^\n]*\s*)*")
# Nine lines in ten: a table of bare keys, or a bare key with a value that is whole on its line.
_PLAIN = re.compile(
    r"\s*(?:\[([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)\]"
    r"""|([A-Za-z0-9_-]+)[ \t]*=[ \t]*(?:"[^"\\\n]*"|'[^'\n]*'|[^\s"'\[\]{}#,]+))"""
    r"[ \t\r]*(?:#[^\n]*)?(?=\n|\Z)"
)
_KEY_PART = re.compile(r"""[ \t]*("(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+)[ \t]*""")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}(?!")'
    r"|'''.*?'{3,5}(?!')"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_BARE = re.compile(r"[^,\]}#\n]+")


def key_lines(text: str) -> dict[KeyPath, int]:
    """Return the line of each key path, 1 is the first; items of arrays are counted "0", "1", ….

    It never raises: where it cannot follow a text, it ends with the keys found so far.
    """
    scanner = _Scanner(text)
    with contextlib.suppress(_LostError, RecursionError):  # a place less is better than no answer
        scanner.scan()
    return scanner.lines


class _LostError(Exception):
    pass


class _Scanner:
    def __init__(self, text: str) -> None:
        self.lines: dict[KeyPath, int] = {}
        self._text, self._at = text, 0
        self._ends = [match.start() for match in re.finditer("\n", text)]
        self._sizes: dict[KeyPath, int] = {}  # of arrays of tables, as far as they were read

    def scan(self) -> None:
        table: KeyPath = ()
        while (plain := _PLAIN.match(self._text, self._at)) or self._peek():
            if plain is not None:
                table = self._plain(plain, table)
            elif self._text.startswith("[", self._at):
                table = self._header()
            else:
                self._pair(table)

    def _plain(self, line: re.Match[str], table: KeyPath) -> KeyPath:
        self._at = line.end()
        if line[2]:
            # Its table was noted already.
            self.lines.setdefault((*table, line[2]), bisect.bisect_left(self._ends, self._at) + 1)
            return table
        path = self._resolved(tuple(line[1].split(".")[: DEEPEST + 1]))
        self._note(path, line.start(1))
        return path

    def _header(self) -> KeyPath:
        start = self._at
        is_array = self._text.startswith("[[", start)
        self._at += 2 if is_array else 1
        path = self._resolved(self._key())
        self._take("]]" if is_array else "]")
        if is_array:
            count = self._sizes[path] = self._sizes.get(path, 0) + 1
            path = (*path, str(count - 1))
        self._note(path, start)
        return path

    def _resolved(self, keys: KeyPath) -> KeyPath:
        # [a.b] after [[a]] is a table of the last item of a.
        path: KeyPath = ()
        for key in keys[:-1]:
            path = (*path, key)
            if path in self._sizes:
                path = (*path, str(self._sizes[path] - 1))
        return path + keys[-1:]

    def _pair(self, table: KeyPath) -> None:
        start = self._at
        path = table + self._key()
        self._take("=")
        self._note(path, start)
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        opening = self._peek()
        if opening == "[":
            for index, _ in enumerate(self._items("]")):
                self._note((*path, str(index)), self._at)
                self._value((*path, str(index)))
        elif opening == "{":
            for _ in self._items("}"):
                self._pair(path)
        else:
            self._match(_STRING if opening in "\"'" else _BARE)

    def _items(self, closing: str) -> Iterator[None]:
        self._at += 1
        while self._peek() != closing:
            yield
            if self._peek() == ",":
                self._at += 1
            elif self._peek() != closing:
                raise _LostError
        self._at += 1

    def _key(self) -> KeyPath:
        parts = [self._key_part()]
        while self._text.startswith(".", self._at):
            self._at += 1
            parts.append(self._key_part())
        return tuple(parts[: DEEPEST + 1])

    def _key_part(self) -> str:
        part = self._match(_KEY_PART)[1]
        if part[0] not in "\"'":
            return part
        try:
            return str(tomllib.loads(f"key = {part}")["key"])
        except tomllib.TOMLDecodeError:
            raise _LostError from None

    def _note(self, path: KeyPath, position: int) -> None:
        line = bisect.bisect_left(self._ends, position) + 1
        for end in range(len(path), 0, -1):
            if path[:end] in self.lines:
                break  # and so are all that are shorter
            self.lines[path[:end]] = line
        if len(path) > DEEPEST:
            raise _LostError  # whoever reads the values refuses such a text

    def _peek(self) -> str:
        """Skip blanks and comments; return the next character, "" at the end."""
        self._match(_BLANK)
        return self._text[self._at : self._at + 1]

    def _take(self, expected: str) -> None:
        if not self._text.startswith(expected, self._at):
            raise _LostError
        self._at += len(expected)

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str]:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise _LostError
        self._at = match.end()
        return match
