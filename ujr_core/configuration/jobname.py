"""Names of jobs: whatever a person can read and type, and neither a path nor an option."""

from __future__ import annotations

import unicodedata
from typing import TypeGuard

LONGEST_NAME = 200
"""Characters; what is shown and typed is never longer."""

NAME_RULE = (
    'begin with a letter, a digit or "_"; letters, digits, spaces and any of - _ . : @ + may follow, '
    f"{LONGEST_NAME} characters in all"
)

_MARKS = frozenset(" -_.:@+")
_SHORT = 60


def normal_name(name: str) -> str:
    """Return a name in the one form (NFC) in which names that look the same are the same."""
    return unicodedata.normalize("NFC", name)


def is_job_name(name: object) -> TypeGuard[str]:
    """Tell whether this can be the name of a job; it is taken to be in its normal form."""
    if not isinstance(name, str) or not 1 <= len(name) <= LONGEST_NAME:
        return False
    is_begun = _is_of_a_word(name[0]) or name[0] == "_"
    return is_begun and name[-1] != " " and all(char in _MARKS or _is_of_a_word(char) for char in name)


def short_name(name: object) -> str:
    """Return a name for an error, which may be wrong in its length too."""
    text = str(name)
    return text if len(text) <= LONGEST_NAME else text[:_SHORT] + "…"


def _is_of_a_word(char: str) -> bool:
    # Marks are the vowels of many scripts.
    return unicodedata.category(char)[0] in "LMN"
