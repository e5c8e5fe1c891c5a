"""The contract of one hook, read from the code and written as Markdown."""

from __future__ import annotations

import inspect
import re
from typing import Any

from ujr_core import hookspecs

SECTION = re.compile(r"^(Called|Arguments|Return|If you raise|Example):(.*)$")


def markdown(name: str) -> str:
    """Return the contract of a hook as Markdown: signature, summary, and one term a section."""
    hook = getattr(hookspecs, name)
    summary, _, rest = (inspect.getdoc(hook) or "").partition("\n\n")
    parts = [f"```python\n{signature(hook)}\n```", summary]
    for title, text in sections(rest):
        parts.append(example(text) if title == "Example" else f"**{title}:** {listed(text)}")
    return "\n\n".join(parts)


def signature(hook: Any) -> str:
    """Return the hook's first line, as written."""
    lines = inspect.getsource(hook).splitlines()
    return next(line for line in lines if line.startswith("def "))


def sections(text: str) -> list[tuple[str, str]]:
    """Return title and text of each section of a docstring."""
    found: list[tuple[str, str]] = []
    for line in text.splitlines():
        if match := SECTION.match(line):
            found.append((match[1], match[2].strip()))
        elif found:
            title, before = found[-1]
            found[-1] = title, f"{before}\n{line}"
    return found


def listed(text: str) -> str:
    """Return text as it is, or as a list if each of its items begins with a name."""
    lines = inspect.cleandoc("\n" + text).splitlines()
    if not text.startswith("\n"):
        return " ".join(line.strip() for line in text.splitlines())
    items = [f"- `{line.partition(':')[0]}`:{line.partition(':')[2]}" if line[:1].strip() else line for line in lines]
    return "\n\n" + "\n".join(items)


def example(text: str) -> str:
    """Return the code of an example, without its prompts."""
    code = "\n".join(line[4:] for line in inspect.cleandoc(text).splitlines())
    return f"**Example:**\n\n```python\n{code}\n```"
