"""The real thing, if there is one: what the small server says is held against it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote

ROOT_TOKEN = "root"
POLICY = """
path "kv/data/*" { capabilities = ["read"] }
path "kv/data/closed" { capabilities = ["deny"] }
path "old/*" { capabilities = ["read"] }
path "pki/*" { capabilities = ["read"] }
"""


def find_binary() -> str | None:
    """Return the path of ``bao`` or ``vault``, as ``UJR_TEST_VAULT`` or PATH names it; None if there is none."""
    return os.environ.get("UJR_TEST_VAULT") or shutil.which("bao") or shutil.which("vault")


class RealVault:
    """A development server in a process of its own, set up as the small one is.

    Args:
        binary: path of ``bao`` or ``vault``.
    """

    def __init__(self, binary: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            listen = f"127.0.0.1:{probe.getsockname()[1]}"
        self.address = f"http://{listen}"
        flags = ["-dev", "-dev-no-store-token", f"-dev-listen-address={listen}", f"-dev-root-token-id={ROOT_TOKEN}"]
        self._process = subprocess.Popen(
            [binary, "server", "-log-level=error", *flags],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._unseal_key = self._said("Unseal Key:")
        self._said("Root Token:")
        self._set_up()

    def close(self) -> None:
        """End the server."""
        self._process.terminate()
        self._process.communicate(timeout=30)

    def approle(self) -> tuple[str, str]:
        """Return a role_id and a secret_id that log in."""
        role = "auth/approle/role/jobs"
        role_id = self._call("GET", f"{role}/role-id")["data"]["role_id"]
        return role_id, self._call("POST", f"{role}/secret-id")["data"]["secret_id"]

    def token(self) -> str:
        """Return a new token."""
        return str(self._call("POST", "auth/token/create", policies=["reader"])["auth"]["client_token"])

    def revoke_logins(self) -> None:
        """Make every token of a login worthless."""
        self._call("PUT", "sys/leases/revoke-prefix/auth/approle/login")

    def put(self, path: str, **fields: Any) -> None:
        """Write a document, or its next version."""
        if path.startswith("old/"):
            self._call("POST", path, **fields)
        else:
            self._call("POST", path.replace("kv/", "kv/data/", 1), data=fields)

    def delete(self, path: str) -> None:
        """Delete the latest version of a document; it can be restored."""
        self._call("DELETE", path.replace("kv/", "kv/data/", 1))

    def destroy(self, path: str) -> None:
        """Destroy the latest version of a document for good."""
        latest = self._call("GET", path.replace("kv/", "kv/metadata/", 1))["data"]["current_version"]
        self._call("PUT", path.replace("kv/", "kv/destroy/", 1), versions=[latest])

    def seal(self) -> None:
        """Answer nothing until it is unsealed."""
        self._call("PUT", "sys/seal")

    def unseal(self) -> None:
        """Answer again."""
        self._call("PUT", "sys/unseal", key=self._unseal_key)

    def _set_up(self) -> None:
        self._call("POST", "sys/mounts/kv", type="kv", options={"version": "2"})
        self._call("POST", "sys/mounts/old", type="kv", options={"version": "1"})
        self._call("POST", "sys/mounts/pki", type="pki")
        self._call("POST", "sys/auth/approle", type="approle")
        self._call("PUT", "sys/policies/acl/reader", policy=POLICY)
        self._call("POST", "auth/approle/role/jobs", token_policies=["reader"])

    def _said(self, what: str) -> str:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(what):
                return line.removeprefix(what).strip()
        raise AssertionError(f"the server ended without saying {what!r}")

    def _call(self, method: str, path: str, **body: Any) -> Any:
        request = urllib.request.Request(
            f"{self.address}/v1/{quote(path)}",
            data=json.dumps(body).encode() if body else None,
            headers={"X-Vault-Token": ROOT_TOKEN},
            method=method,
        )
        # A mount of KV 2 answers 400 while it is being made, which takes some milliseconds.
        for _ in range(100):
            try:
                with urllib.request.urlopen(request, timeout=30) as response:
                    return json.loads(response.read() or "{}")
            except urllib.error.HTTPError as error:
                if error.code != 400 or b"Upgrading" not in error.read():
                    raise
        raise AssertionError(f"{path} never came to be")
