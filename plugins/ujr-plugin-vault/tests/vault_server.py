"""A small Vault: the part of its API that the plugin uses, as the documentation of Vault gives it.

KV version 1 at ``old/``, version 2 at ``kv/``, AppRole, tokens; it seals, and misbehaves when told to.
"""

from __future__ import annotations

import http.server
import json
import ssl
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import attrs

ROLE_ID, SECRET_ID = "role-of-jobs", "secret-id-canary"
CLOSED = "kv/closed"
"""A document that no token may read."""

Answer = tuple[int, Any]
MOUNTS = {"kv": ("kv", {"version": "2"}), "old": ("kv", None), "pki": ("pki", None)}


@attrs.define
class Version:
    """One version of a document of KV 2."""

    fields: Mapping[str, Any] | None
    deletion_time: str = ""
    destroyed: bool = False


@attrs.frozen
class Asked:
    """One request that came in."""

    method: str
    path: str
    token: str
    namespace: str


@attrs.define(eq=False)
class SmallVault:
    """A server on loopback; a test may change what it holds, and how it behaves, at any time.

    Args:
        context: to speak TLS with; None = plain http.
        port: 0 = any.
    """

    context: ssl.SSLContext | None = None
    port: int = 0
    fault: Answer | bytes | str | None = None  # what each request is answered with: this, or "hang"
    is_sealed: bool = False
    requests: list[Asked] = attrs.field(factory=list)
    tokens: set[str] = attrs.field(factory=set)
    released: threading.Event = attrs.field(factory=threading.Event)
    _given: int = 0
    _old: dict[str, Mapping[str, Any]] = attrs.field(factory=dict)
    _kv: dict[str, list[Version]] = attrs.field(factory=dict)
    _server: http.server.ThreadingHTTPServer = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        handler = type("Handler", (Handler,), {"vault": self})
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), handler)
        self._server.daemon_threads = True
        if self.context is not None:
            self._server.socket = self.context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def address(self) -> str:
        """Return where it listens."""
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Listen no more."""
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def approle(self) -> tuple[str, str]:
        """Return a role_id and a secret_id that log in."""
        return ROLE_ID, SECRET_ID

    def token(self) -> str:
        """Return a new token."""
        self._given += 1
        token = f"hvs.token-canary-{self._given}"
        self.tokens.add(token)
        return token

    def revoke_logins(self) -> None:
        """Make every token worthless."""
        self.tokens.clear()

    def put(self, path: str, **fields: Any) -> None:
        """Write a document, or its next version."""
        if path.startswith("old/"):
            self._old[path] = fields
        else:
            self._kv.setdefault(path, []).append(Version(fields))

    def delete(self, path: str) -> None:
        """Delete the latest version of a document; it can be restored."""
        latest = self._kv[path][-1]
        latest.fields, latest.deletion_time = None, "2026-01-31T06:00:00.123456Z"

    def destroy(self, path: str) -> None:
        """Destroy the latest version of a document for good."""
        latest = self._kv[path][-1]
        latest.fields, latest.destroyed = None, True

    def seal(self) -> None:
        """Answer nothing until it is unsealed."""
        self.is_sealed = True

    def unseal(self) -> None:
        """Answer again."""
        self.is_sealed = False

    def count(self, part: str) -> int:
        """Return how many requests had this in their path."""
        return sum(part in one.path for one in self.requests)

    def answer(self, asked: Asked, query: Mapping[str, list[str]], body: Mapping[str, Any]) -> Answer:
        """Return status and JSON of a request."""
        if self.is_sealed:
            return 503, {"errors": ["Vault is sealed"]}
        path = asked.path.removeprefix("/v1/")
        if path == "auth/approle/login":
            return self._login(body)
        if path.startswith("auth/") and path.endswith("/login"):
            return 404, {"errors": [f"no handler for route {path!r}. route entry not found."]}
        if asked.token not in self.tokens:
            return 403, {"errors": ["permission denied"]}
        if path == "auth/token/lookup-self":
            return 200, {"data": {"id": asked.token, "ttl": 2764800, "renewable": True}}
        if path.startswith("sys/internal/ui/mounts/"):
            return _mount(path.removeprefix("sys/internal/ui/mounts/"))
        return self._read(path, query)

    def _login(self, body: Mapping[str, Any]) -> Answer:
        if (body["role_id"], body["secret_id"]) != (ROLE_ID, SECRET_ID):
            return 400, {"errors": ["invalid role or secret ID"]}
        return 200, {"auth": {"client_token": self.token(), "lease_duration": 2764800, "renewable": True}}

    def _read(self, path: str, query: Mapping[str, list[str]]) -> Answer:
        if path.startswith("old/"):
            return (200, {"data": self._old[path]}) if path in self._old else (404, {"errors": []})
        if not path.startswith("kv/data/"):
            return 403, {"errors": ["1 error occurred:\n\t* permission denied\n\n"]}
        path = path.replace("kv/data/", "kv/", 1)
        if path == CLOSED:
            return 403, {"errors": ["1 error occurred:\n\t* permission denied\n\n"]}
        versions = self._kv.get(path, [])
        number = int(query["version"][0]) if "version" in query else len(versions)
        if not 1 <= number <= len(versions):
            return 404, {"errors": []}
        version = versions[number - 1]
        metadata = {"version": number, "deletion_time": version.deletion_time, "destroyed": version.destroyed}
        return 404 if version.fields is None else 200, {"data": {"data": version.fields, "metadata": metadata}}


def _mount(path: str) -> Answer:
    found = MOUNTS.get(path.partition("/")[0])
    if found is None:
        return 403, {"errors": [f"preflight capability check returned 403, please ensure access to {path}"]}
    kind, options = found
    return 200, {"data": {"path": path.partition("/")[0] + "/", "type": kind, "options": options}}


class Handler(http.server.BaseHTTPRequestHandler):
    """Speaks HTTP for a `SmallVault`."""

    vault: SmallVault
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer as the server is told to."""
        url = urlsplit(self.path)
        headers = self.headers
        asked = Asked(
            self.command, unquote(url.path), headers.get("X-Vault-Token", ""), headers.get("X-Vault-Namespace", "")
        )
        self.vault.requests.append(asked)
        body = json.loads(self.rfile.read(int(headers.get("Content-Length") or 0)) or "{}")
        fault = self.vault.fault
        if fault == "hang":
            self.vault.released.wait()
            self.close_connection = True
        elif isinstance(fault, bytes):
            self._send(200, fault)
        else:
            status, answer = fault if isinstance(fault, tuple) else self.vault.answer(asked, parse_qs(url.query), body)
            self._send(status, json.dumps(answer).encode())

    do_POST = do_PUT = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def _send(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        if status in (301, 307):
            self.send_header("Location", json.loads(content)["location"])
        self.end_headers()
        self.wfile.write(content)
