"""A document that cannot be read is said to be so, with what to do; no failure looks like an empty document."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from document_server import NOTHING, Asked, Content, DocumentServer, reply
from http_fixtures import CANARY, TOML, join_readings, read, refusal, source_at, source_of, start_in

from ujr_plugin_http import Http
from ujr_plugin_http.credential import Credential
from ujr_plugin_http.exchange import MOST

LOGIN = f"<!DOCTYPE html><html><title>Log in, {CANARY}</title></html>"
LATIN = '[jobs.a]\nplugin = "naïve"\n'.encode("latin-1")
BOMB = gzip.compress(bytes(MOST + 1))
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

# What is answered; the code; what is said; what to do.
FAULTS: dict[str, tuple[bytes, str, str, str]] = {
    "500": (reply(CANARY, 500), "unavailable", "answered with an error of its own (500)",
            "look into the log of its server"),
    "503": (reply(CANARY, 503), "unavailable", "answered with an error of its own (503)",
            "look into the log of its server"),
    "429": (reply(CANARY, 429), "unavailable", "takes no more requests just now (429)",
            "read it less often: refresh in [plugins.http]"),
    "404": (reply(CANARY, 404), "misconfigured", "is not there (404)",
            "correct url in [plugins.http], or put the document there"),
    "410": (reply(CANARY, 410), "misconfigured", "is not there (410)",
            "correct url in [plugins.http], or put the document there"),
    "401": (reply(CANARY, 401), "misconfigured", "does not let this runner read it (401)",
            "set token or headers in [plugins.http]"),
    "403": (reply(CANARY, 403), "misconfigured", "does not let this runner read it (403)",
            "set token or headers in [plugins.http]"),
    "418": (reply(CANARY, 418), "misconfigured", "answered with a status that brings no document (418)",
            "see what its server is"),
    "204": (reply(status=204), "misconfigured", "answered with a status that brings no document (204)",
            "see what its server is"),
    "304 that was not asked for": (reply(status=304), "misconfigured",
                                   "answered with a status that brings no document (304)", "see what its server is"),
    "a redirect": (reply(status=302, Location=f"https://u:{CANARY}@sso.example.org/login?next={CANARY}"),
                   "misconfigured", 'sends elsewhere (302): "https://sso.example.org/login?…"',
                   "if the document is there now, write that as url in [plugins.http]"),
    "a login page": (reply(LOGIN, Content_Type="text/html"), "wrong-document",
                     "is a web page, such as one to log in at, and no document of jobs",
                     "correct url in [plugins.http], or set token or headers"),
    "a login page that says it is TOML": (reply("\n " + LOGIN, Content_Type="application/toml"), "wrong-document",
                                          "is a web page, such as one to log in at, and no document of jobs",
                                          "correct url in [plugins.http], or set token or headers"),
    "a body that was cut": (reply(TOML, Content_Length=str(len(TOML) + 1)), "unavailable", "was cut off before its end",
                            "it is read again at the next refresh; see what ends the connection"),
    "no body": (reply(Content_Length="5"), "unavailable", "was cut off before its end",
                "it is read again at the next refresh; see what ends the connection"),
    "a chunk that was cut": (CHUNKED + b"40\r\n[jobs.a]\n", "unavailable", "was cut off before its end",
                             "it is read again at the next refresh; see what ends the connection"),
    "a last chunk that is missing": (CHUNKED + b"9\r\n[jobs.a]\n\r\n", "unavailable", "was cut off before its end",
                                     "it is read again at the next refresh; see what ends the connection"),
    "no length": (reply(TOML, Content_Length=""), "wrong-document",
                  "does not say how long it is, so that one that was cut off would pass for a whole one",
                  "have its server send Content-Length, or in chunks"),
    "a length that is none": (reply(TOML, Content_Length="many"), "wrong-document",
                              "does not say how long it is, so that one that was cut off would pass for a whole one",
                              "have its server send Content-Length, or in chunks"),
    "too large": (reply(b"#" * (MOST + 1)), "wrong-document", "is larger than 8 MiB",
                  "divide it, and read each part by a plugin of its own name"),
    "too large, in chunks": (CHUNKED + b"%x\r\n" % (MOST + 1) + b"#" * (MOST + 1), "wrong-document",
                             "is larger than 8 MiB", "divide it, and read each part by a plugin of its own name"),
    "too large when unpacked": (reply(BOMB, Content_Encoding="gzip"), "wrong-document", "is larger than 8 MiB",
                                "divide it, and read each part by a plugin of its own name"),
    "no gzip": (reply(TOML, Content_Encoding="gzip"), "wrong-document",
                "says that it is gzip, and is not, or not all of it", "mend its server"),
    "half a gzip": (reply(gzip.compress(TOML.encode())[:-9], Content_Encoding="gzip"), "wrong-document",
                    "says that it is gzip, and is not, or not all of it", "mend its server"),
    "another packing": (reply(TOML, Content_Encoding="br"), "wrong-document",
                        'is packed as "br", which nobody asked for',
                        "have its server send it as it is, or as gzip"),
    "no HTTP": (b"SSH-2.0-OpenSSH_9.6\r\n", "unavailable", "answered what is no HTTP",
                "see that a web server runs at this port"),
    "headers without end": (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200, "unavailable", "answered what is no HTTP",
                            "see that a web server runs at this port"),
    "nothing": (b"", "unavailable", "hung up without an answer", "see that a server for this URL runs there"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_no_document_is_said_and_goes_away(server: DocumentServer, fault: str) -> None:
    """Whatever is no document raises four parts that quote nothing of it; when it ends, the same source reads."""
    server.answer, code, what, fix = FAULTS[fault]
    source = source_of(server)
    assert str(refusal(source)) == (
        f'error[http-{code}]: "{server.url}" {what}\n  where: plugins.http.url\n  fix:   {fix}'
    )
    server.answer = reply(TOML)
    assert list(read(source)) == ["nightly", "hourly"]


def test_a_document_of_another_charset_is_refused(server: DocumentServer) -> None:
    """What is not UTF-8 is not guessed at; the line of the first wrong byte is named."""
    server.answer = reply(LATIN, Content_Type="application/toml; charset=iso-8859-1")
    error = refusal(source_of(server))
    assert str(error) == (
        f'error[http-wrong-document]: "{server.url}" is not UTF-8\n'
        f"  where: {server.url}:2\n  fix:   save the document as UTF-8"
    )


HANGS: dict[str, Callable[[DocumentServer], Content]] = {
    "answers nothing": lambda server: server.hang(),
    "answers the headers alone": lambda server: server.drip(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", b""),
    "drips the body": lambda server: server.drip(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", b"#"),
    "drips the status": lambda server: server.drip(b"HTTP/1.1 200 ", b"O"),
    "drips headers": lambda server: server.drip(b"HTTP/1.1 200 OK\r\nX: ", b"y"),
    "drips chunks": lambda server: server.drip(CHUNKED, b"1\r\n#\r\n"),
    "drips answers before the answer": lambda server: server.drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@pytest.mark.parametrize("hang", HANGS)
@pytest.mark.parametrize("kind", ["server", "secure"])
def test_a_server_that_hangs_is_given_up(
    request: pytest.FixtureRequest, certificate: Path, kind: str, hang: str
) -> None:
    """The timeout holds for the whole reading, also if each byte is in time; no thread of it stays."""
    server: DocumentServer = request.getfixturevalue(kind)
    server.answer = lambda _: HANGS[hang](server)
    error = refusal(source_of(server, timeout=0.3, ca_file=certificate))
    assert str(error) == (
        f'error[http-unavailable]: "{server.url}" did not answer whole within 300 ms\n'
        "  where: plugins.http.url\n"
        "  fix:   see why it is slow, or wait longer for it: timeout in [plugins.http]"
    )
    join_readings()  # while the server still goes on


def test_a_server_that_hangs_in_the_handshake_is_given_up(certificate: Path) -> None:
    """A connection that nobody accepts for TLS is bounded, too."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/jobs.toml"
        error = refusal(source_at(url, timeout=0.3, ca_file=certificate))
    assert error.what.endswith("did not answer whole within 300 ms")


def test_a_name_server_that_hangs_is_given_up(server: DocumentServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking up the name counts, too, which no socket bounds; what comes of it later is not used.

    The looking up is a stand-in, for there is no name server here that could be made to hang.
    """
    answered, look_up = threading.Event(), socket.getaddrinfo

    def hanging(*args: object, **options: object) -> object:
        answered.wait()
        return look_up(*args, **options)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    error = refusal(source_of(server, timeout=0.3))
    assert error.what.endswith("did not answer whole within 300 ms")
    answered.set()
    join_readings()
    assert [asked.target for asked in server.asked] in ([], [NOTHING]), "what was given up asked all the same"


def test_a_name_that_nobody_knows_is_said() -> None:
    """A host that cannot be looked up is named with its URL, without what is asked behind the "?"."""
    error = refusal(source_at(f"https://nobody.invalid/jobs.toml?key={CANARY}"))
    assert (error.code, error.where) == ("http-unavailable", "plugins.http.url")
    assert error.what.startswith('"https://nobody.invalid/jobs.toml?…" cannot be found: its name cannot be looked up (')
    assert error.fix == "correct the name in url of [plugins.http], or mend the name server"


def test_an_address_without_a_port_is_one() -> None:
    """An IPv6 address is not looked up as a name, nor its end taken for a port: nothing listens there, at most."""
    error = refusal(source_at("http://[::1]/no/jobs.toml", timeout=1.0))
    assert "cannot be found" not in error.what


def test_a_server_that_is_not_there_is_read_when_it_is(server: DocumentServer) -> None:
    """A refused connection is no empty document; the server comes up, and the same source reads."""
    source = source_of(server)
    server.close()
    error = refusal(source)
    assert (error.code, error.what) == (
        "http-unavailable",
        f'"{server.url}" cannot be reached: Connection refused',
    )
    assert error.fix == "see that its server runs"
    again = DocumentServer(port=server.port, answer=reply(TOML))
    assert list(read(source)) == ["nightly", "hourly"]
    again.close()


def test_a_certificate_is_trusted_if_it_is_configured(
    secure: DocumentServer, certificate: Path, tmp_path: Path
) -> None:
    """A certificate of one's own is refused with its fix, and taken with ca_file, which is at home in the folder."""
    error = refusal(source_of(secure))
    assert str(error) == (
        f'error[http-misconfigured]: "{secure.url}" shows a certificate that is not trusted: '
        "self-signed certificate\n"
        "  where: plugins.http.url\n"
        "  fix:   renew it, or set ca_file in [plugins.http] to the certificates that signed it"
    )
    assert read(source_of(secure, ca_file=Path(certificate.name)), start_in(tmp_path))


def test_a_certificate_of_another_name_is_refused(secure: DocumentServer, certificate: Path) -> None:
    """That a certificate is trusted does not make its server that of the URL."""
    url = secure.url.replace("127.0.0.1", "localhost")
    error = refusal(source_at(url, ca_file=certificate))
    assert error.code == "http-misconfigured"
    assert "shows a certificate that is not trusted: Hostname mismatch" in error.what


def test_a_server_without_tls_is_said() -> None:
    """https:// at a port of http names the handshake, and what to look at."""
    with socket.create_server(("127.0.0.1", 0)) as plain:
        thread = threading.Thread(target=answer_in_clear, args=(plain,))
        thread.start()
        url = f"https://127.0.0.1:{plain.getsockname()[1]}/jobs.toml"
        error = refusal(source_at(url))
        thread.join()
    assert str(error) == (
        f'error[http-unavailable]: "{url}" broke off the TLS handshake: wrong version number\n'
        "  where: plugins.http.url\n  fix:   see that its port speaks https"
    )


def answer_in_clear(server: socket.socket) -> None:
    """Answer whatever comes as a server of plain http does."""
    connection, _ = server.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(reply("speak http", 400))
        with contextlib.suppress(OSError):
            connection.recv(65536)  # until the other side hangs up


@pytest.mark.parametrize(("content", "why"), [(None, "No such file or directory"), ("", "it holds no certificates")])
def test_a_file_of_certificates_that_cannot_be_read_is_said(
    secure: DocumentServer, tmp_path: Path, content: str | None, why: str
) -> None:
    """A ca_file that is missing, or holds something else, is named."""
    if content is not None:
        (tmp_path / "ca.pem").write_text(content)
    error = refusal(source_of(secure, ca_file=Path("ca.pem")), start_in(tmp_path))
    assert str(error) == (
        f'error[http-misconfigured]: "{secure.url}" is to be trusted by "ca.pem", which cannot be read: {why}\n'
        "  where: plugins.http.ca_file\n  fix:   correct ca_file"
    )


def test_a_token_that_is_refused_is_to_be_looked_at(server: DocumentServer, tmp_path: Path) -> None:
    """A 401 to a question with a token blames the token, and does not ask for one."""
    server.answer = reply(CANARY, 401)
    error = refusal(source_of(server, token=Credential(env="TOKEN")), start_in(tmp_path, TOKEN=CANARY))
    assert error.fix == "see that the token is right, and may read this"


MISSING = {
    "no variable": (Credential(env="TOKEN"), 'the environment variable "TOKEN" is not set',
                    "set TOKEN for the runner, and restart it"),
    "no file": (Credential(file=Path("none")), '"none" cannot be read: No such file or directory',
                "write it to none; the file is read at every refresh"),
    "an empty file": (Credential(file=Path("empty")), '"empty" is empty',
                      "write it to empty; the file is read at every refresh"),
    "no text": (Credential(file=Path("bytes")), '"bytes" cannot be read: it is no text',
                "write it to bytes; the file is read at every refresh"),
    "two lines": (Credential(file=Path("lines")), "it has a line break or another character that no header can hold",
                  "write it to lines; the file is read at every refresh"),
}  # fmt: skip


@pytest.mark.parametrize("case", MISSING)
def test_a_token_that_is_not_there_is_said(server: DocumentServer, tmp_path: Path, case: str) -> None:
    """Without its token nothing is asked, and the error names the place and never the value."""
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "bytes").write_bytes(b"\xff")
    (tmp_path / "lines").write_text(f"{CANARY}\r\nX-Admin: 1\n")
    token, why, fix = MISSING[case]
    error = refusal(source_of(server, token=token), start_in(tmp_path))
    what = f'"{server.url}" is to be read with token of "plugins.http", and there is none: {why}'
    assert str(error) == f"error[http-misconfigured]: {what}\n  where: plugins.http.token\n  fix:   {fix}"
    assert server.asked == []


def test_a_redirect_is_not_followed(server: DocumentServer, tmp_path: Path) -> None:
    """The token is shown to nobody that an answer names, not even at the same server."""
    server.answer = reply(status=307, Location="/elsewhere/jobs.toml")
    error = refusal(source_of(server, token=Credential(env="TOKEN")), start_in(tmp_path, TOKEN=CANARY))
    assert error.what.endswith(f'sends elsewhere (307): "{server.url.replace("/jobs", "/elsewhere/jobs")}"')
    assert [asked.target for asked in server.asked] == ["/jobs.toml"]


def test_nothing_of_the_environment_is_used(server: DocumentServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy that lies about sees the question."""
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert read(source_of(server))


def test_a_fault_says_which_of_several_sources_it_is(server: DocumentServer) -> None:
    """An instance of another name has its own settings named."""
    server.close()
    error = refusal(Http(Http.Settings(url=server.url, plugins=("*",)), name="http-b"))
    assert error.where == "plugins.http-b.url"


def test_asked_is_what_was_configured(server: DocumentServer, tmp_path: Path) -> None:
    """Token and headers are sent, those of a place read anew each time; the path and the question go as written."""

    def answered(_: Asked) -> bytes:
        return reply(TOML)

    server.answer = answered
    (tmp_path / "key").write_text(f"{CANARY}\n")
    headers = {"X-Tenant": "north", "X-Api-Key": Credential(file=Path("key")), "user-agent": "night shift"}
    source = source_of(server, url=f"{server.url}?of=north", token=Credential(env="TOKEN"), headers=headers)
    read(source, start_in(tmp_path, TOKEN="t1"))
    (tmp_path / "key").write_text("another")
    read(source, start_in(tmp_path, TOKEN="t2"))
    first, second = server.asked
    assert first.target == "/jobs.toml?of=north"
    assert (first.headers["authorization"], second.headers["authorization"]) == ("Bearer t1", "Bearer t2")
    assert (first.headers["x-api-key"], second.headers["x-api-key"]) == (CANARY, "another")
    assert (first.headers["x-tenant"], first.headers["user-agent"]) == ("north", "night shift")
