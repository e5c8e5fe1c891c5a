"""What the tests of this plugin share: a server, sources, and what they answer."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import sysconfig
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from document_server import DocumentServer, reply

from ujr_core import JobTable, Start, UJRError
from ujr_plugin_http import Http

UJR = str(Path(sysconfig.get_path("scripts")) / "ujr")
CANARY = "hunter2-canary"
TOML = '[jobs.nightly]\nplugin = "command"\nparams = { argv = ["true"] }\n\n[jobs.hourly]\nplugin = "command"\n'
Read = Callable[..., Mapping[str, JobTable]]


@pytest.fixture
def server() -> Iterator[DocumentServer]:
    """A server with a good document."""
    server = DocumentServer(answer=reply(TOML))
    yield server
    server.close()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody else has signed, with its key."""
    if shutil.which("openssl") is None:
        pytest.skip("NOT TESTED OVER TLS: openssl makes the certificate, and is not there")
    path = tmp_path / "server.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=small"
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(path), "-out", str(tmp_path / "cert.pem")]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    path.write_text(path.read_text() + (tmp_path / "cert.pem").read_text())
    return path


@pytest.fixture
def secure(certificate: Path) -> Iterator[DocumentServer]:
    """The same server, over TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = DocumentServer(context, answer=reply(TOML))
    yield server
    server.close()


@pytest.fixture(autouse=True)
def no_reading_is_left() -> Iterator[None]:
    """See that every thread that reads ends, also one that was given up."""
    yield
    join_readings()


def join_readings() -> None:
    """Wait for the threads that read."""
    for thread in threading.enumerate():
        if thread.name == "ujr-http":
            thread.join(60)
            assert not thread.is_alive(), "a reading that was given up goes on"


def source_of(server: DocumentServer, **settings: Any) -> Http:
    """Return a source that reads from a server."""
    return source_at(**{"url": server.url, **settings})


def source_at(url: str, **settings: Any) -> Http:
    """Return a source that reads from a URL, and may name any plugin."""
    return Http(Http.Settings(**{"url": url, "plugins": ("*",), **settings}))


def start_in(folder: Path, **environ: str) -> Start:
    """Return what a source is asked with."""
    return Start(None, folder, MappingProxyType(environ))


def read(source: Http, start: Start | None = None) -> Mapping[str, JobTable]:
    """Return the jobs that a source names."""
    jobs = source.config_source(start or start_in(Path.cwd()))
    assert jobs is not None
    return jobs


def ujr(folder: Path, *words: str) -> tuple[int, str]:
    """Type a command in a folder; return its exit code, and what a person sees."""
    command = [str(Path(sysconfig.get_path("scripts")) / "ujr"), *words]
    ended = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return ended.returncode, ended.stdout


def refusal(source: Http, start: Start | None = None) -> UJRError:
    """Return the error with which a reading fails; it shows the cause, and no secret that it held."""
    with pytest.raises(UJRError) as caught:
        read(source, start)
    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value
