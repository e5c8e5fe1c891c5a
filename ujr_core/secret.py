"""`Secret`: masked in every rendering, with one way out."""

from __future__ import annotations

import hmac
import io
import pickle
from collections.abc import Callable
from typing import Any, NoReturn

import attrs

from ujr_core.errors import SecretError


@attrs.frozen(order=True)
class SecretRef:
    """Names a secret without knowing it; stands in a job's params until the job starts.

    Args:
        provider: name of the plugin that supplies it, such as "env".
        path: as the provider's own tool takes it.
        field: what follows "#"; None if nothing does.
        options: further keys of the table, sorted by name.
    """

    provider: str
    path: str
    field: str | None = None
    options: tuple[tuple[str, object], ...] = ()

    def __str__(self) -> str:
        return f"{self.provider}:{self.path}" + (f"#{self.field}" if self.field else "")

    @classmethod
    def parse(cls, text: str, **options: object) -> SecretRef:
        """Read ``provider:path#field``.

        Raises:
            ValueError: the text has no provider or no path.
        """
        provider, colon, rest = text.partition(":")
        path, _, field = rest.partition("#")
        if not colon or not provider or not path:
            raise ValueError(f'"{text}" does not name a secret; write "provider:path" or "provider:path#field"')
        return cls(provider, path, field or None, tuple(sorted(options.items())))


class Secret:
    """A value that no rendering shows; `reveal` is its only way out.

    It is not a ``str``: adding, joining, pickling or dumping it raises. It is no sandbox either: what was
    revealed lives in memory, and a plugin in the same process can reveal it.

    Args:
        value: the secret, text or bytes.
        version: what the provider calls this version; compared to see a rotation. None: it has none.
        refetch_after: seconds after which the core fetches it again; None: never.
        name: shown in place of the value, so that a forgotten `reveal` is found.
    """

    __slots__ = ("_value", "name", "refetch_after", "version")
    _value: str | bytes
    name: str
    refetch_after: float | None
    version: str | None

    def __init__(
        self,
        value: str | bytes,
        version: str | None = None,
        refetch_after: float | None = None,
        *,
        name: str = "secret",
    ) -> None:
        if not isinstance(value, str | bytes):
            raise TypeError(f"a Secret holds str or bytes, not {type(value).__name__}")
        # A subclass of either could run its own code wherever the value is compared.
        value = str.__str__(value) if isinstance(value, str) else bytes.__getitem__(value, slice(None))
        object.__setattr__(self, "_value", value)
        object.__setattr__(self, "version", version)
        object.__setattr__(self, "refetch_after", refetch_after)
        object.__setattr__(self, "name", name)

    def __setattr__(self, key: str, value: object) -> NoReturn:
        raise AttributeError("a Secret does not change")

    def reveal(self) -> str | bytes:
        """Return the value itself; what happens to it from here on is yours to guard."""
        return self._value

    def named(self, name: str) -> Secret:
        """Return the same secret under another name."""
        return Secret(self.reveal(), self.version, self.refetch_after, name=name)

    def map(self, function: Callable[[Any], str | bytes]) -> Secret:
        """Return a Secret of what ``function`` makes of the value."""
        return Secret(function(self.reveal()), self.version, self.refetch_after, name=self.name)

    def __repr__(self) -> str:
        return f"<Secret {self.name}>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_as_bytes(self.reveal()), _as_bytes(other.reveal()))

    __hash__ = None  # type: ignore[assignment]  # a hash is a fingerprint of the value

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise SecretError(
            "secret-not-picklable",
            f"{self!r} cannot be pickled, copied or returned by a task",
            "",
            "pass the Secret itself as an argument of a Task; the runner carries it to the worker",
        )


def _as_bytes(value: str | bytes) -> bytes:
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value


def _carried(value: str | bytes, version: str | None, refetch_after: float | None, name: str) -> Secret:
    return Secret(value, version, refetch_after, name=name)


class _Carrier(pickle.Pickler):
    """Pickles Secrets too: for the runner's own pipe to its worker, and nothing else."""

    def __init__(self, file: io.BytesIO, met: Callable[[Secret], object] | None) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._met = met

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, Secret):
            if self._met is not None:
                self._met(value)
            return _carried, (value.reveal(), value.version, value.refetch_after, value.name)
        return NotImplemented


def pickle_for_worker(value: object, met: Callable[[Secret], object] | None = None) -> bytes:
    """Pickle what goes over the pipe to a worker; a Secret in it is carried in clear.

    Args:
        value: arguments of a task.
        met: called with each Secret in it, however deep; also with those that the job has derived from others.

    Raises:
        Exception: whatever the value's own ``__reduce__`` raises, or `pickle` of what has none.
    """
    try:
        return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    except SecretError:
        return pickle_secrets(value, met)


def pickle_secrets(value: object, met: Callable[[Secret], object] | None = None) -> bytes:
    """Do what `pickle_for_worker` does, for a value that has made `pickle` raise SecretError.

    Only arguments with a Secret pay for this slower pickler.
    """
    buffer = io.BytesIO()
    _Carrier(buffer, met).dump(value)
    return buffer.getvalue()


@attrs.frozen
class SecretTemplate:
    """A longer text with secrets in it, as ``{ template = "…{pw}…", pw = { secret = "…" } }`` says.

    Args:
        text: with one ``{name}`` for each reference.
        refs: name to reference.
    """

    text: str
    refs: tuple[tuple[str, SecretRef], ...]

    def fill(self, secrets: dict[SecretRef, Secret]) -> Secret:
        """Return the whole text as one Secret."""
        values = {}
        for name, ref in self.refs:
            value = secrets[ref].reveal()
            values[name] = value.decode() if isinstance(value, bytes) else value
        return Secret(self.text.format_map(values), name=" ".join(str(ref) for _, ref in self.refs))
