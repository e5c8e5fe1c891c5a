"""Which code has changed on disk since it was loaded."""

from __future__ import annotations

import importlib.util
import os
import pathlib
import sys
import types

import pytest

from ujr_core.codewatch import CodeWatch


class Loaded:
    """A project's folder, and the modules that were loaded from it."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.modules: dict[str, types.ModuleType | None] = {}

    def load(self, file: str, name: str = "", text: str = "x = 1\n") -> pathlib.Path:
        """Write a file and have it loaded as a module."""
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        module = types.ModuleType(name or path.stem)
        module.__file__ = str(path)
        self.modules[module.__name__] = module
        return path

    def watch(self, *packages: str, folder: pathlib.Path | None = None) -> CodeWatch:
        """Begin to watch."""
        return CodeWatch(folder or self.folder, packages, modules=self.modules)


@pytest.fixture
def loaded(tmp_path: pathlib.Path) -> Loaded:
    """A project without code."""
    (tmp_path / "project").mkdir()
    return Loaded(tmp_path / "project")


def test_what_was_written_since_is_named(loaded: Loaded) -> None:
    """Changed files are named from the folder, sorted; what did not change is not, nor is anything at the start."""
    second, first = loaded.load("weather/tasks.py"), loaded.load("jobs.py")
    loaded.load("unchanged.py")
    watch = loaded.watch()
    assert watch.look() == ()
    first.write_text("x = 2\n")
    second.write_text("x = 22\n")
    assert watch.look() == ("jobs.py", "weather/tasks.py")
    assert watch.look() == ("jobs.py", "weather/tasks.py")


def test_an_edit_of_equal_length_with_its_time_set_back_is_seen(loaded: Loaded) -> None:
    """Neither size nor time of modification tells; the kernel's time of change does."""
    path = loaded.load("jobs.py")
    watch, before = loaded.watch(), path.stat()
    path.write_text("x = 2\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert watch.look() == ("jobs.py",)


def test_what_is_as_it_was_is_not_changed(loaded: Loaded) -> None:
    """A file that was only touched, or changed and changed back, is what was loaded."""
    path = loaded.load("jobs.py")
    watch = loaded.watch()
    os.utime(path, (0, 0))
    assert watch.look() == ()
    path.write_text("x = 2\n")
    assert watch.look() == ("jobs.py",)
    path.write_text("x = 1\n")
    assert watch.look() == ()


def test_a_file_that_is_gone_has_changed(loaded: Loaded) -> None:
    """Until it is there again, as it is for an instant while an editor puts a new one in its place."""
    path = loaded.load("jobs.py")
    watch = loaded.watch()
    path.unlink()
    assert watch.look() == ("jobs.py",)
    path.write_text("x = 1\n")
    assert watch.look() == ()


def test_a_link_that_is_put_elsewhere_has_changed_what_lies_behind_it(loaded: Loaded) -> None:
    """As a deployment does that unpacks each release into a folder of its own, and then turns a link."""
    old = loaded.load("releases/1/jobs.py")
    new = loaded.folder / "releases" / "2"
    new.mkdir()
    (new / "jobs.py").write_text("x = 2\n")
    current = loaded.folder / "current"
    current.symlink_to(old.parent)
    module = loaded.modules["jobs"]
    assert module is not None
    module.__file__ = str(current / "jobs.py")
    watch = loaded.watch(folder=current)
    assert watch.look() == ()
    current.unlink()
    current.symlink_to(new)
    assert watch.look() == ("jobs.py",)


def test_what_is_reached_by_a_link_counts_on_both_sides(loaded: Loaded, tmp_path: pathlib.Path) -> None:
    """A file in the folder that lies elsewhere is the project's own, and so is one that was loaded by another way."""
    shared = Loaded(tmp_path / "shared").load("common.py")
    common, jobs = loaded.load("common.py"), loaded.load("jobs.py")
    common.unlink()
    common.symlink_to(shared)
    (tmp_path / "way").symlink_to(loaded.folder)
    module = loaded.modules["jobs"]
    assert module is not None
    module.__file__ = str(tmp_path / "way" / "jobs.py")
    watch = loaded.watch()
    shared.write_text("x = 2\n")
    jobs.write_text("x = 2\n")
    assert watch.look() == (module.__file__, "common.py")


def test_a_module_that_is_loaded_later_counts_from_then_on(loaded: Loaded) -> None:
    """A hook may import when it is first called."""
    watch = loaded.watch()
    path = loaded.load("late.py")
    assert watch.look() == ()
    path.write_text("x = 2\n")
    assert watch.look() == ("late.py",)


@pytest.mark.parametrize("file", [".venv/lib/python3/site-packages/attrs.py", "dist-packages/yaml.py"])
def test_what_is_installed_below_the_folder_is_not_the_projects_own(loaded: Loaded, file: str) -> None:
    """Packages of an environment that lies in the project are not its code, but those that hold its job plugins are."""
    path = loaded.load(file)
    own, of_job = loaded.watch(), loaded.watch(path.stem)
    path.write_text("x = 2\n")
    assert own.look() == ()
    assert of_job.look() == (file,)


def test_the_environment_itself_is_not_the_projects_own(loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    """A standard library below the folder does not count; a project that is its environment's own folder does."""
    path = loaded.load("env/lib/json.py")
    monkeypatch.setattr(sys, "prefix", str(loaded.folder / "env"))
    elsewhere = loaded.watch()
    monkeypatch.setattr(sys, "prefix", str(loaded.folder))
    within = loaded.watch()
    path.write_text("x = 2\n")
    assert elsewhere.look() == ()
    assert within.look() == ("env/lib/json.py",)


def test_a_package_of_job_plugins_counts_wherever_it_is(loaded: Loaded, tmp_path: pathlib.Path) -> None:
    """Each loaded module of it, named by its whole path; others beside it do not."""
    elsewhere = Loaded(tmp_path / "elsewhere")
    elsewhere.modules = loaded.modules
    tasks = elsewhere.load("weather/tasks.py", "weather.tasks")
    other = elsewhere.load("weatherless.py")
    watch = loaded.watch("weather")
    tasks.write_text("x = 2\n")
    other.write_text("x = 2\n")
    assert watch.look() == (str(tasks),)


def test_odd_modules_are_left_alone(loaded: Loaded) -> None:
    """None, one without a file, one in an archive, and one that is no module; and a lazy one is not loaded by it."""
    path = loaded.load("lazy.py", text="import os\nos.environ['UJR_TEST_LOADED'] = 'yes'\n")
    spec = importlib.util.spec_from_file_location("lazy", path)
    assert spec is not None
    assert spec.loader is not None
    spec.loader = importlib.util.LazyLoader(spec.loader)
    lazy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(lazy)
    archived = types.ModuleType("archived")
    archived.__file__ = str(loaded.folder / "all.zip" / "archived.py")
    odd: dict[str, object] = {"none": None, "bare": types.ModuleType("bare"), "archived": archived, "object": object()}
    loaded.modules.update(odd, lazy=lazy)  # type: ignore[arg-type]  # as a module may put anything there
    watch = loaded.watch()
    path.write_text("x = 2\n")
    assert watch.look() == ("lazy.py",)
    assert "UJR_TEST_LOADED" not in os.environ


def test_what_this_process_has_loaded_is_looked_at_by_default(tmp_path: pathlib.Path) -> None:
    """Without modules of its own it goes by those of the interpreter."""
    watch = CodeWatch(pathlib.Path(__file__).parent)
    assert watch.look() == ()
    assert CodeWatch(tmp_path).look() == ()
