"""``ujr new-plugin``: a plugin that installs, lints, types and passes at once, to begin with."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, NamedTuple

import click

from ujr_core.cli.folder import current_folder

if TYPE_CHECKING:
    import pathlib

    from ujr_core.errors import ConfigError

PREFIX = "ujr-plugin-"
_LONGEST = 40  # a longer one would break lines of what is written
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class Kind(NamedTuple):  # attrs would cost --help and --version more than it gives here
    """What distinguishes the plugins of one kind outside of their code.

    Args:
        description: one sentence.
        class_suffix: what its class is called after its name; "" if it is a module.
    """

    description: str
    class_suffix: str


KINDS = {
    "job": Kind("A job for UJR that keeps a checksum of each file in a folder.", ""),
    "secrets": Kind("Secrets for UJR from a JSON file.", "Secrets"),
    "reporter": Kind("A reporter for UJR that appends each outcome to a file.", "Reporter"),
    "config": Kind("A config source for UJR: each TOML file of a folder is a job.", "Source"),
    "executor": Kind("An executor for UJR that runs tasks in processes of the standard library.", "Executor"),
}


@click.command("new-plugin")
@click.argument("name")
@click.argument("folder", default=".", type=click.Path(file_okay=False))
@click.option("--kind", type=click.Choice(list(KINDS)), default="job", show_default=True, help="What it will be.")
def new_plugin(name: str, folder: str, kind: str) -> int:
    """Write a small plugin, with its test, into FOLDER/ujr-plugin-NAME (default: below this one)."""
    _check_name(name)
    made = current_folder() / folder / f"{PREFIX}{name}"
    texts = _texts(name, kind)
    _write_all(made, texts)
    shown = shlex.quote(f"{PREFIX}{name}" if folder == "." else f"{folder}/{PREFIX}{name}")
    click.echo(f"wrote {', '.join(texts)} into {shown}\nnow try:")
    click.echo(f'  cd {shown} && pip install -e ".[test]"\n  pytest\n  ujr --list-plugins')
    return 0


def _check_name(name: str) -> None:
    if len(name) > _LONGEST or not _NAME.fullmatch(name):
        raise _wrong_name(name, f"is no name such as weather-alerts, of at most {_LONGEST} characters")
    if name.startswith(PREFIX):
        raise _wrong_name(name, f"has the prefix {PREFIX}, which is put before each name anyway")
    if (owner := _owner(name)) is not None:
        raise _wrong_name(name, f"is the name of {owner}")


def _owner(name: str) -> str | None:
    from ujr_core.registry.discovery import BUILT_IN
    from ujr_core.registry.lint import hook_names

    if name in BUILT_IN:
        return "a built-in plugin"
    return "a hook" if name.replace("-", "_") in hook_names() else None


def _wrong_name(name: str, why: str) -> ConfigError:
    from ujr_core.errors import ConfigError

    better = _better(name)
    fix = f"call it {better}" if better else "choose another name, of lower-case words with dashes between them"
    return ConfigError("new-plugin-name", f'a plugin cannot be called "{name}": it {why}', "NAME", fix)


def _better(name: str) -> str:
    """Return what was probably meant, or "" if it cannot be said."""
    words = re.findall(r"[a-z0-9]+", name.lower().removeprefix(PREFIX))
    better = "-".join(words)[:_LONGEST].rstrip("-")
    return better if _NAME.fullmatch(better) and better != name and _owner(better) is None else ""


def _texts(name: str, kind: str) -> dict[str, str]:
    """Return what is written: path within the folder, and text."""
    import pathlib

    template = pathlib.Path(__file__).parent / "template" / "plugin"
    module = template / kind / "ujr_plugin_sprout.py"
    sources = {
        "pyproject.toml": template / "pyproject.toml",
        "README.md": template / kind / "README.md",
        module.name.replace("sprout", name.replace("-", "_")): module,
        "tests/test_contract.py": template / kind / "tests" / "test_contract.py",
    }
    return {path: _renamed(source.read_text(encoding="utf-8"), name, KINDS[kind]) for path, source in sources.items()}


def _renamed(text: str, name: str, kind: Kind) -> str:
    title = "".join(word.capitalize() for word in name.split("-"))
    target = f"ujr_plugin_sprout:Sprout{kind.class_suffix}" if kind.class_suffix else "ujr_plugin_sprout"
    for old, new in {
        "{description}": kind.description,
        "{target}": target,
        "ujr_plugin_sprout": f"ujr_plugin_{name.replace('-', '_')}",
        "Sprout": title,
        "sprout": name,
    }.items():
        text = text.replace(old, new)
    return text


def _write_all(folder: pathlib.Path, texts: dict[str, str]) -> None:
    from ujr_core.errors import ConfigError

    path = folder
    try:
        folder.mkdir(parents=True)
        for name, text in texts.items():
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except FileExistsError:
        what = f"{folder.name} is there already, so nothing was written"
        raise ConfigError("new-plugin-exists", what, str(folder), "choose another name, or another folder") from None
    except OSError as error:  # a write that fails names no file
        what, where = f"the plugin cannot be written: {error.strerror}", str(error.filename or path)
        raise ConfigError("new-plugin-unwritable", what, where, "name a folder that this user may write") from None
