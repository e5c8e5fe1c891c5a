"""The providers of secrets that are built in: what they read, and how they refuse."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ujr_core import (
    JobConfig,
    ProviderMisconfigured,
    ProviderUnavailable,
    Secret,
    SecretDenied,
    SecretNotFound,
    SecretRef,
)
from ujr_core.builtin import env
from ujr_core.builtin import file as file_module
from ujr_core.builtin.file import File
from ujr_core.errors import SecretError

CANARY = "hunter2-canary"


def job(*refs: SecretRef) -> JobConfig:
    """Return a job that names these secrets."""
    return JobConfig("j", "p", {str(index): ref for index, ref in enumerate(refs)})


def from_file(folder: Path, name: str) -> Secret:
    """Fetch one file of a folder."""
    ref = SecretRef("file", name)
    return File(File.Settings(folder)).fetch_job_details(job(ref))[ref]


def test_env_gives_what_a_job_names_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each reference of env gets its variable, masked under its own name; references of others are left alone."""
    monkeypatch.setenv("UJR_TEST_A", CANARY)
    monkeypatch.setenv("UJR_TEST_EMPTY", "")
    a, empty = SecretRef("env", "UJR_TEST_A"), SecretRef("env", "UJR_TEST_EMPTY")
    found = env.fetch_job_details(job(a, SecretRef("vault", "x"), empty))
    assert found == {a: Secret(CANARY), empty: Secret("")}
    assert repr(found[a]) == "<Secret env:UJR_TEST_A>"


def test_env_suggests_the_name_of_a_missing_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing variable is an error with a near name, and no value."""
    monkeypatch.setenv("UJR_TEST_TOKEN", CANARY)
    with pytest.raises(SecretNotFound) as caught:
        env.fetch_job_details(job(SecretRef("env", "UJR_TEST_TOKN")))
    assert str(caught.value) == (
        'error[secret-not-found]: there is no environment variable "UJR_TEST_TOKN"\n'
        '  where: env:UJR_TEST_TOKN\n  fix:   did you mean "UJR_TEST_TOKEN"?'
    )


@pytest.mark.parametrize("ref", [SecretRef("env", "HOME", "f"), SecretRef("env", "HOME", None, (("version", 1),))])
def test_env_refuses_what_a_variable_does_not_have(ref: SecretRef) -> None:
    """A field or an option of a variable is a mistake, not something to ignore."""
    with pytest.raises(ProviderMisconfigured, match="has a field or options"):
        env.fetch_job_details(job(ref))


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"s3cret", "s3cret"),
        (b"s3cret\n", "s3cret"),
        (b"s3cret\r\n", "s3cret"),
        (b"s3cret\n\n", "s3cret\n"),
        (b" s \n", " s "),
        (b"", ""),
        ("ü\n".encode(), "ü"),
        (b"\xff\x00\n", b"\xff\x00\n"),
    ],
)
def test_a_file_is_read_without_its_last_newline(tmp_path: Path, content: bytes, value: str | bytes) -> None:
    """One newline at the end is no part of a secret; everything else is, and bytes stay bytes."""
    (tmp_path / "s").write_bytes(content)
    assert from_file(tmp_path, "s").reveal() == value


def test_a_file_that_is_replaced_has_another_version(tmp_path: Path) -> None:
    """A rotation is seen by the version, though content and time be the same."""
    path, new = tmp_path / "s", tmp_path / "new"
    path.write_text("a")
    first = from_file(tmp_path, "s")
    assert from_file(tmp_path, "s").version == first.version
    new.write_text("a")
    status = path.stat()
    os.utime(new, ns=(status.st_atime_ns, status.st_mtime_ns))
    new.replace(path)
    assert from_file(tmp_path, "s").version != first.version


def test_files_are_found_in_folders_by_links_and_by_absolute_path(tmp_path: Path) -> None:
    """Nested names, mounts made of links and absolute paths all work."""
    (tmp_path / "..data").mkdir()
    (tmp_path / "..data" / "pw").write_text("x")
    (tmp_path / "pw").symlink_to("..data/pw")
    for name in ("..data/pw", "pw", str(tmp_path / "pw"), "..data/../pw"):
        assert from_file(tmp_path, name).reveal() == "x"


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("nothing", SecretNotFound),
        ("s/below", SecretNotFound),
        ("folder", ProviderMisconfigured),
        ("pipe", ProviderMisconfigured),
        ("../s", ProviderMisconfigured),
        ("folder/../../s", ProviderMisconfigured),
        ("a\0b", ProviderMisconfigured),
        ("loop", ProviderUnavailable),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, name: str, error: type[SecretError]) -> None:
    """Missing, misconfigured and unavailable are told apart, with the reference and a fix."""
    (tmp_path / "s").write_text(CANARY)
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(SecretError) as caught:
        from_file(tmp_path, name)
    assert type(caught.value) is error
    assert caught.value.where == f"file:{name}"
    assert caught.value.fix
    assert CANARY not in str(caught.value)


def test_a_file_of_somebody_else_is_denied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file without the right to read is SecretDenied."""
    path = tmp_path / "s"
    path.write_text(CANARY)
    path.chmod(0)
    if os.geteuid() == 0:  # root may read everything, so the refusal itself is made up

        def refuse(*_: object) -> int:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(file_module, "_read", refuse)
    with pytest.raises(SecretDenied) as caught:
        from_file(tmp_path, "s")
    assert caught.value.where == "file:s"


def test_a_file_has_no_field(tmp_path: Path) -> None:
    """A field of a file is a mistake, not something to ignore."""
    with pytest.raises(ProviderMisconfigured, match="has a field or options"):
        File(File.Settings(tmp_path)).fetch_job_details(job(SecretRef("file", "s", "f")))


def test_the_folder_comes_from_settings_then_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a folder in the settings it is $CREDENTIALS_DIRECTORY, and without that /run/secrets."""
    ref = SecretRef("file", "ujr-test-secret")
    (tmp_path / ref.path).write_text("x")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert File(File.Settings()).fetch_job_details(job(ref)) == {ref: Secret("x")}
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    with pytest.raises(SecretNotFound, match="/run/secrets/ujr-test-secret"):
        File(File.Settings()).fetch_job_details(job(ref))
