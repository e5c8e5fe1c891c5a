"""`Mounts`: where secrets are kept, and in which version of KV."""

from __future__ import annotations

import threading
from typing import Literal
from urllib.parse import quote

import attrs
import hvac
from hvac import exceptions

from ujr_core import ProviderMisconfigured, SecretDenied, SecretNotFound
from ujr_plugin_vault.connection import Connection
from ujr_plugin_vault.failures import unavailable


@attrs.frozen
class Mount:
    """One secrets engine.

    Args:
        path: such as "kv", without a slash at the end; it may have some inside.
        version: of KV.
    """

    path: str
    version: Literal[1, 2]

    def rest(self, path: str) -> str | None:
        """Return what follows the mount in the path of a document; None if it is of another mount."""
        start = f"{self.path}/"
        return path.removeprefix(start) if path.startswith(start) and path != start else None


class Mounts:
    """Finds the mount of a document; Vault is asked once for each mount.

    Args:
        connection: to ask with.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: set[Mount] = set()
        self._lock = threading.Lock()

    def find(self, path: str) -> Mount:
        """Return the mount of a document.

        Raises:
            SecretDenied: the token may not see it, or there is none: Vault does not tell which.
            SecretNotFound: there is none.
            ProviderMisconfigured: what is mounted there is no KV, or the path is that of the mount itself.
        """
        with self._lock:
            # No mount lies within another, so that at most one fits.
            mount = next((one for one in self._known if one.rest(path)), None) or self._asked(path)
            self._known.add(mount)
        if mount.rest(path) is None:
            what, fix = f'"{path}" is a mount, no secret', f'name a secret of it: "vault:{path}/…#field"'
            raise ProviderMisconfigured("secret-misconfigured", what, "", fix)
        return mount

    def forget(self, mount: Mount) -> None:
        """Find out anew the next time: a mount may be replaced, or made version 2."""
        with self._lock:
            self._known.discard(mount)

    def _asked(self, path: str) -> Mount:
        # quote: hvac puts this path into the URL as it is.
        question = f"sys/internal/ui/mounts/{quote(path)}"
        try:
            answer = self._connection.ask(lambda client: _read(client, question))
        except exceptions.Forbidden:
            what = f'Vault shows no mount for "{path}" to this token: there is none, or no policy names it'
            fix = f'correct the path, or allow it: path "{path}" {{ capabilities = ["read"] }}'
            raise SecretDenied("secret-denied", what, "", fix) from None
        if answer is None:
            what = f'there is no mount for "{path}"'
            raise SecretNotFound("secret-not-found", what, "", "see what there is: vault secrets list")
        return _mount(answer)


def _read(client: hvac.Client, path: str) -> object:
    answer: object = client.read(path)
    return answer


def _mount(answer: object) -> Mount:
    match answer:
        case {"data": {"path": str(path), "type": "kv" | "generic", **more}}:
            options = more.get("options")
            version = options.get("version") if isinstance(options, dict) else None
            return Mount(path.strip("/"), 2 if version == "2" else 1)
        case {"data": {"path": str(path), "type": str(kind)}}:
            what = f'"{path.strip("/")}" is a mount of type "{kind}", and this plugin reads kv'
            raise ProviderMisconfigured("secret-misconfigured", what, "", "name a secret of a kv mount")
    raise unavailable("answered with what is no mount")
