"""`Document`: what stands at one path, a few fields that belong together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs

from ujr_core import ProviderMisconfigured, SecretNotFound, printable

MANY = 20
"""Fields that an error lists."""


@attrs.frozen
class Document:
    """A secret as Vault understands the word.

    Args:
        path: as it was asked for.
        fields: name to value, which is text or whatever else JSON has.
        version: of the document; None in KV version 1.
    """

    path: str
    fields: Mapping[str, Any] = attrs.field(repr=False)
    version: str | None

    def value(self, field: str | None) -> str:
        """Return the text of a field; what is no text is returned as JSON.

        Raises:
            ProviderMisconfigured: no field is named.
            SecretNotFound: there is none of this name.
        """
        if field is None:
            what = f'no field of "{self.path}" is named'
            first = next(iter(self.fields), "field")
            fix = f'write "vault:{self.path}#{printable(first)}"; {self._known()}'
            raise ProviderMisconfigured("secret-misconfigured", what, "", fix)
        if field not in self.fields:
            what = f'"{self.path}" has no field "{field}"'
            raise SecretNotFound("secret-not-found", what, "", self._known())
        value = self.fields[field]
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    def _known(self) -> str:
        names = [printable(name) for name in self.fields]
        more = f" and {len(names) - MANY} more" if len(names) > MANY else ""
        return f"it has: {', '.join(names[:MANY])}{more}" if names else "it has no field at all"
