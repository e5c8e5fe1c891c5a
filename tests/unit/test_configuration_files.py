"""The files of a configuration: found, united, hashed, and parsed once."""

from __future__ import annotations

import copy
import itertools
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ujr_core.builtin import toml
from ujr_core.configuration import tomlfile
from ujr_core.configuration.document import digest_of, files_of, find, read_configuration
from ujr_core.configuration.jobs import consolidate
from ujr_core.configuration.overrides import Overrides
from ujr_core.configuration.settings import read_main
from ujr_core.configuration.tomlfile import parse_toml, read_toml
from ujr_core.configuration.writing import consolidated
from ujr_core.errors import ConfigError, Faults, UJRError
from ujr_core.values import Start

Put = Callable[..., Path]


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Put:
    """Return a function that writes files by name into the current folder, and returns the path of ujr.toml."""
    monkeypatch.chdir(tmp_path)

    def write(files: Mapping[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        return tmp_path / "ujr.toml"

    return write


def refusal_of(path: str | Path) -> tuple[UJRError, ...]:
    """Return what reading a configuration raises."""
    with pytest.raises(UJRError) as caught:
        read_main(path)
    return caught.value.faults if isinstance(caught.value, Faults) else (caught.value,)


def test_a_project_file_is_found_if_it_has_the_table(put: Put, tmp_path: Path) -> None:
    """./pyproject.toml is the configuration if it has [tool.ujr], and there is no ujr.toml."""
    put({"pyproject.toml": '[project]\nname = "ujr"\n[tool.ujx]\n'})
    assert find(None, {}, tmp_path) is None
    put({"pyproject.toml": "[tool.ujr.runner]\nworkers = 3\n"})
    assert find(None, {}, tmp_path) == tmp_path / "pyproject.toml"
    put({"ujr.toml": ""})
    assert find(None, {}, tmp_path) == tmp_path / "ujr.toml"


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("[project\n[tool.ujr]\n", True),
        ("[ tool . 'ujr' ]\nx =\n", True),
        ('name = "ujr\n', False),
        ("[project\n", False),
    ],
)
def test_a_broken_project_file_is_found_if_it_speaks_of_ujr(
    put: Put, tmp_path: Path, text: str, *, is_found: bool
) -> None:
    """Whoever wrote [tool.ujr] reads where the file is broken, and whoever did not is not bothered."""
    put({"pyproject.toml": text})
    assert (find(None, {}, tmp_path) is not None) == is_found


def test_a_project_file_is_read_at_its_table_and_names_the_whole_key(put: Put) -> None:
    """In pyproject.toml the lines are those of the file, and the key path is the one to look for in it."""
    put(
        {
            "pyproject.toml": '[project]\nname = "x"\n\n'
            '[tool.ujr.runner]\nworkers = "3"\n[tool.ujr.jobs.a]\nplugin = "p"\n'
        }
    )
    main = read_main("pyproject.toml")
    assert [str(fault) for fault in main.faults] == [
        'error[config-wrong-type]: [runner] wants a whole number for "workers", not "3"\n'
        "  where: pyproject.toml:5, tool.ujr.runner.workers\n"
        "  fix:   write for example 4"
    ]
    assert main.job_tables()["a"].origin.where(("plugin",)) == "pyproject.toml:7"


def test_a_project_file_without_the_table_is_no_configuration(put: Put) -> None:
    """A pyproject.toml that was named and has no [tool.ujr] is refused in four parts, and so is one of another type."""
    put({"pyproject.toml": "[project]\n"})
    assert [str(fault) for fault in refusal_of("pyproject.toml")] == [
        "error[config-missing]: there is no table [tool.ujr] in this file\n"
        "  where: pyproject.toml\n"
        "  fix:   add one, or write a ujr.toml with: ujr init"
    ]
    put({"pyproject.toml": "[tool]\nujr = 3\n"})
    assert [str(fault) for fault in refusal_of("pyproject.toml")] == [
        'error[config-wrong-type]: the configuration wants a table for "tool.ujr", not 3\n'
        "  where: pyproject.toml:2, tool.ujr\n"
        "  fix:   write for example [tool.ujr.runner]"
    ]


def test_files_beside_are_united_and_each_value_knows_its_own(put: Put) -> None:
    """Tables of ujr.d unite with those of the main file, lists of plugins follow each other, and places are kept."""
    path = put(
        {
            "ujr.toml": '[runner]\nworkers = 2\nplugins = ["a"]\n[jobs.a]\nplugin = "p"\n',
            "ujr.d/20.toml": '[jobs.b]\nplugin = "q"\n',
            "ujr.d/10.toml": '[runner]\nplugins = [\n  "b",\n  "c",\n]\n[jobs.a.params]\nx = 1\n[node]\nname = "n"\n',
        }
    )
    main = read_main(path)
    assert main.faults == ()
    assert main.runner.plugins == ("a", "b", "c")
    assert main.node.name == "n"
    jobs = main.job_tables()
    assert jobs["a"].mapping == {"plugin": "p", "params": {"x": 1}}
    assert {name: table.origin.where() for name, table in jobs.items()} == {"a": "ujr.toml:4", "b": "ujr.d/20.toml:1"}
    assert jobs["a"].origin.where(("params", "x")) == "ujr.d/10.toml:7"
    assert main.document.origin.where(("runner", "plugins")) == "ujr.toml:3"
    assert main.document.origin.where(("runner", "plugins", "2")) == "ujr.d/10.toml:4"
    assert main.document.origin.where(("node", "name")) == "ujr.d/10.toml:9"


def test_the_source_of_jobs_reads_the_same_files(put: Put, tmp_path: Path) -> None:
    """What stands in ujr.d runs, as what stands in the main file does."""
    path = put({"ujr.toml": "[jobs.a]\n", "ujr.d/10.toml": "[jobs.b]\n"})
    tables = toml.config_source(Start(path, tmp_path, {}))
    assert {name: table.origin.where() for name, table in (tables or {}).items()} == {
        "a": "ujr.toml:1",
        "b": "ujr.d/10.toml:1",
    }


def test_a_key_of_two_files_names_both_places(put: Put) -> None:
    """No file goes before another: a key twice is a fault, and what else is wrong is found in the same pass."""
    path = put(
        {
            "ujr.toml": '[runner]\nworkers = 2\n[jobs.a]\nplugin = "p"\ntimeout = 3\n',
            "ujr.d/10.toml": '[runner]\nworkers = 3\nrecycle = 0\n[jobs.a]\nplugin = "p"\ntimeout = 3\n',
        }
    )
    main = read_main(path)
    assert [str(fault) for fault in main.faults[:2]] == [
        'error[config-key-twice]: two files give the setting "workers" of [runner]\n'
        "  where: ujr.toml:2 and ujr.d/10.toml:2, runner.workers\n"
        "  fix:   remove it from one of the two files",
        'error[config-key-twice]: two files give the setting "plugin" of job "a", and 1 more beside it\n'
        "  where: ujr.toml:4 and ujr.d/10.toml:5, jobs.a.plugin\n"
        "  fix:   remove it from one of the two files",
    ]
    assert [(fault.code, fault.where) for fault in main.faults[2:]] == [
        ("config-wrong-value", "ujr.d/10.toml:3, runner.recycle")
    ]
    assert main.runner.workers == 2
    assert read_configuration(path).mapping["runner"]["workers"] == 2


def test_a_table_and_a_value_of_one_name_are_a_key_twice(put: Put) -> None:
    """What is a table in one file and none in another cannot be united."""
    path = put({"ujr.toml": "[jobs.a]\n", "ujr.d/10.toml": "jobs.a = 3\n"})
    assert [(fault.code, fault.where) for fault in read_main(path).faults] == [
        ("config-key-twice", "ujr.toml:1 and ujr.d/10.toml:1, jobs.a")
    ]


def test_all_broken_files_are_told_at_once(put: Put) -> None:
    """Faults of several files come together, each with its file and line."""
    path = put({"ujr.toml": "a =\n", "ujr.d/10.toml": "x = 1\n[b\n", "ujr.d/20.toml": ""})
    os.symlink("nowhere.toml", path.parent / "ujr.d/30.toml")
    assert [str(fault).partition("\n  fix")[0] for fault in refusal_of(path)] == [
        "error[config-malformed]: this is not TOML: Invalid value\n  where: ujr.toml:1:4",
        "error[config-malformed]: this is not TOML: Expected ']' at the end of a table declaration\n"
        "  where: ujr.d/10.toml:2:3",
        "error[config-unreadable]: the configuration cannot be read: nothing stands behind this name\n"
        "  where: ujr.d/30.toml",
    ]


def test_a_broken_file_hides_no_key_that_the_others_give_twice(put: Put) -> None:
    """What can be said of the files that are whole is said beside the broken one."""
    path = put({"ujr.toml": "runner.workers = 1\n", "ujr.d/1.toml": "runner.workers = 2\n", "ujr.d/2.toml": "x =\n"})
    assert [fault.code for fault in refusal_of(path)] == ["config-malformed", "config-key-twice"]


def test_lists_other_than_those_of_plugins_are_a_key_twice(put: Put) -> None:
    """Labels of two files are no longer list; whoever wrote the second may have meant to replace the first."""
    path = put({"ujr.toml": 'node.labels = ["a"]\n', "ujr.d/10.toml": 'node.labels = ["b"]\n'})
    assert [(fault.code, fault.where) for fault in read_main(path).faults] == [
        ("config-key-twice", "ujr.toml:1 and ujr.d/10.toml:1, node.labels")
    ]


def test_one_broken_file_beside_is_a_broken_configuration(put: Put) -> None:
    """A single broken file of ujr.d is a ConfigError that names it."""
    path = put({"ujr.toml": "", "ujr.d/10.toml": "[b\n"})
    with pytest.raises(ConfigError, match=r"where: ujr\.d/10\.toml:1"):
        read_configuration(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list any folder")
def test_a_folder_that_cannot_be_listed_is_told(put: Put) -> None:
    """Jobs of a folder that this user may not list do not just vanish."""
    path = put({"ujr.toml": "", "ujr.d/10.toml": ""})
    (path.parent / "ujr.d").chmod(0)
    try:
        assert [(fault.code, fault.where) for fault in refusal_of(path)] == [("config-unreadable", "ujr.d")]
    finally:
        (path.parent / "ujr.d").chmod(0o700)


def test_a_folder_that_is_a_link_to_nowhere_is_told(put: Put) -> None:
    """A folder that is not mounted is no empty folder."""
    path = put({"ujr.toml": ""})
    os.symlink("not-mounted", path.parent / "ujr.d")
    assert [str(fault) for fault in refusal_of(path)] == [
        "error[config-unreadable]: the configuration cannot be read: No such file or directory\n"
        "  where: ujr.d\n"
        "  fix:   let this user list the folder, or remove it"
    ]
    assert files_of(path) == (path,)


def test_what_is_hidden_or_no_file_is_left_alone(put: Put) -> None:
    """What editors leave, folders, pipes and other names are no part of the configuration; the rest is, by name."""
    path = put(
        {"ujr.toml": "", **{f"ujr.d/{name}": "" for name in ("b.toml", "a.toml", ".c.toml", "d.toml~", "e.txt")}}
    )
    folder = path.parent / "ujr.d"
    (folder / "f.toml").mkdir()
    os.mkfifo(folder / "g.toml")
    os.symlink("a.toml", folder / "h.toml")
    assert files_of(path) == (path, folder / "a.toml", folder / "b.toml", folder / "h.toml")
    assert read_main(path).faults == ()


def test_a_file_of_that_name_is_no_folder(put: Put) -> None:
    """A plain file called ujr.d is nothing to UJR."""
    path = put({"ujr.toml": "", "ujr.d": "[\n"})
    assert files_of(path) == (path,)
    assert read_main(path).faults == ()


def set_back(path: Path) -> None:
    """Set the times of a file back, as if nothing had happened."""
    os.utime(path, (1, 1))


def edit(path: Path) -> None:
    """Write as many bytes, with the times set back."""
    path.write_text("a = 2\n")
    set_back(path)


def rename_over(path: Path) -> None:
    """Write another file and rename it, as editors do."""
    path.with_name("new").write_text("a = 2\n")
    path.with_name("new").replace(path)


def make_a_folder(path: Path) -> None:
    """Put a folder in the place of the file."""
    path.unlink()
    path.mkdir()


def link(path: Path) -> None:
    """Put a link to another file in the place of the file."""
    path.unlink()
    path.with_name("other").write_text("a = 2\n")
    path.symlink_to("other")


def move_content(path: Path) -> None:
    """Move all that one file says into the other."""
    path.write_text("a = 1\nb = 1\n")
    (path.parent / "ujr.d/10.toml").write_text("")


def rename_beside(path: Path) -> None:
    """Give a file another name."""
    (path.parent / "ujr.d/10.toml").rename(path.parent / "ujr.d/11.toml")


def add_beside(path: Path) -> None:
    """Add an empty file."""
    (path.parent / "ujr.d/20.toml").write_text("")


CHANGES: tuple[Callable[[Path], None], ...] = (
    edit, rename_over, Path.unlink, make_a_folder, link, move_content, rename_beside, add_beside,
)  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_every_change_changes_the_digest(put: Put, change: Callable[[Path], None]) -> None:
    """An edit of the same length with the old time, a rename, a link, a deletion: the digest is another; and back."""
    files = {"ujr.toml": "a = 1\n", "ujr.d/10.toml": "b = 1\n"}
    path = put(files)
    set_back(path)
    before = digest_of(path)
    assert digest_of(path) == before
    change(path)
    assert digest_of(path) != before
    assert digest_of(path) == digest_of(path)


def test_the_digest_tells_a_name_from_a_content(put: Put) -> None:
    """A file that says what two files say together, names and all, is another configuration."""
    path = put({"ujr.toml": "#", "ujr.d/10.toml": "a"})
    before = digest_of(path)
    (path.parent / "ujr.d/10.toml").unlink()
    path.write_text("#10.toml=a")
    assert digest_of(path) != before


def test_a_deleted_file_that_comes_back_is_the_same(put: Put) -> None:
    """Content alone counts: the same files give the same digest, however they came there."""
    files = {"ujr.toml": "a = 1\n", "ujr.d/10.toml": "b = 1\n"}
    path = put(files)
    before = digest_of(path)
    for name in files:
        (path.parent / name).unlink()
    assert digest_of(path) != before
    put(files)
    assert digest_of(path) == before


def test_a_swapped_folder_is_seen_two_hundred_times(put: Put) -> None:
    """A volume that is swapped by its link, as Kubernetes does, is seen each time."""
    path = put({"ujr.toml": "", "one/10.toml": "a = 1\n", "two/10.toml": "a = 2\n"})
    folder = path.parent
    (folder / "ujr.d").symlink_to("one")
    digests = [digest_of(path)]
    for number in range(200):
        (folder / "next").symlink_to("two" if number % 2 == 0 else "one")
        (folder / "next").rename(folder / "ujr.d")
        digests.append(digest_of(path))
    assert len(set(digests)) == 2
    assert all(one != other for one, other in itertools.pairwise(digests))


@pytest.mark.parametrize("name", ["none.toml", ".", "a\0b", "pipe"])
def test_a_digest_never_raises(put: Put, name: str) -> None:
    """What is missing, a folder, a pipe, or no name at all has a digest, too."""
    os.mkfifo(put({"ujr.toml": ""}).with_name("pipe"))
    assert len(digest_of(name)) == 16


def test_what_has_not_changed_is_parsed_once(put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    """The main configuration and the source of jobs read the same bytes, and one parse serves both, on any thread."""
    path = put({"ujr.toml": "[jobs.a]\nx = [1]\n", "ujr.d/10.toml": "[jobs.b]\n"})
    parsed: list[str] = []
    parse = tomlfile._parse

    def noted(text: str, source: str) -> tomlfile._Parsed:
        parsed.append(source)
        return parse(text, source)

    monkeypatch.setattr(tomlfile, "_parse", noted)
    first = read_configuration(path)
    thread = threading.Thread(target=read_configuration, args=(path,))
    thread.start()
    thread.join()
    assert parsed == ["ujr.toml", "ujr.d/10.toml"]
    path.write_text("[jobs.a]\nx = [2]\n")
    os.utime(path, (1, 1))
    assert read_configuration(path).mapping["jobs"]["a"] == {"x": [2]}
    assert first.mapping["jobs"]["a"] == {"x": [1]}


def test_a_table_that_was_read_is_the_readers_own(put: Put) -> None:
    """What one reader changes in it, the next does not see."""
    path = put({"ujr.toml": "[jobs.a]\nx = [1, { y = 2 }]\n"})
    read_toml(path).mapping["jobs"]["a"]["x"][1]["y"] = 3
    read_toml(path).mapping["jobs"]["b"] = {}
    assert read_toml(path).mapping == {"jobs": {"a": {"x": [1, {"y": 2}]}}}


def test_what_is_kept_is_bounded(put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many files the last ones are kept, and of one that is written again and again a single state."""
    monkeypatch.setattr(tomlfile, "KEPT", 50)
    kept = tomlfile._Kept()
    monkeypatch.setattr(tomlfile, "_PARSED", kept)
    for number in range(20):
        path = put({"ujr.toml": f"a = {number:04}1\n".replace(" 0", " 1"), f"b{number}.toml": "b = 12345678\n"})
        read_toml(path)
        read_toml(path.with_name(f"b{number}.toml"))
    assert sum(len(content) for content, _ in kept._files.values()) == kept._size <= 50
    put({"ujr.toml": "c = '" + "x" * 100 + "'\n"})
    read_toml("ujr.toml")
    assert list(kept._files) == [os.path.abspath("ujr.toml")]


def test_a_text_is_parsed_with_its_places() -> None:
    """A text that came from elsewhere names that place, and its lines, in every error."""
    table = parse_toml("[jobs.a]\nx = 1\n", "https://example.org/jobs.toml")
    assert table.mapping == {"jobs": {"a": {"x": 1}}}
    assert table.origin.where(("jobs", "a", "x")) == "https://example.org/jobs.toml:2"
    with pytest.raises(ConfigError) as caught:
        parse_toml("a = 1\n<html>", "https://example.org/jobs.toml")
    assert caught.value.code == "config-malformed"
    assert caught.value.where == "https://example.org/jobs.toml:2:1"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("a = 1\nb = [\n" + "[" * 5000, "ujr.toml:3, b[0][0][0]…"),
        ("a = 1\nb = 'x'\nc = " + "9" * 5000 + "\n", "ujr.toml:3"),
    ],
    ids=["nested", "number"],
)
def test_what_the_parser_has_no_place_for_has_its_line(text: str, where: str) -> None:
    """A nest that is too deep and a number that is too long are told with their line."""
    with pytest.raises(ConfigError) as caught:
        parse_toml(text, "ujr.toml")
    assert caught.value.code == "config-malformed"
    assert caught.value.where == where


def test_tables_that_are_shared_are_changed_by_nobody_of_ours(tmp_path: Path) -> None:
    """Files united, settings laid over them, jobs read and shown: the next reader finds what stands in the files."""
    main = tmp_path / "ujr.toml"
    files = {
        main: '[runner]\nplugins = ["a"]\n[jobs.a]\nplugin = "call"\n[jobs.a.params]\nx = 1\nlist = [{ y = 1 }]\n',
        tmp_path / "ujr.d" / "1.toml": '[runner]\nplugins = ["b"]\n[jobs.b]\nparams.secret = { secret = "env:B" }\n',
        tmp_path / "ujr.d" / "2.toml": '[runner]\nplugins = ["c"]\nworkers = 3\n[jobs.a.params]\nz = 3\n',
    }
    (tmp_path / "ujr.d").mkdir()
    for path, text in files.items():
        path.write_text(text)
    before = {path: copy.deepcopy(read_toml(path, shared=True).mapping) for path in files}
    overrides = Overrides(sets=("jobs.a.params.x=2", "jobs.b.params.new=1", "runner.workers=4"))
    for _ in range(2):
        read = read_main(main, overrides)
        assert read.runner.plugins == ("a", "b", "c")
        found = consolidate([("toml", read.job_tables())], read.runner, overrides=read.job_overrides)
        found.jobs["a"].params["list"].append("changed by a plugin")
        consolidated(read.document, {name: one.table for name, one in found.tables.items()}).toml()
        assert {path: read_toml(path, shared=True).mapping for path in files} == before
