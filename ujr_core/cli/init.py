"""``ujr init``: a project that runs at once, to begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ujr_core.cli.folder import current_folder

if TYPE_CHECKING:
    import pathlib

_FILES = ("ujr.toml", "jobs.py", "inbox/first.txt", "inbox/second.txt")


@click.command()
@click.argument("folder", default=".", type=click.Path(file_okay=False))
def init(folder: str) -> int:
    """Write a commented ujr.toml and jobs.py into FOLDER (default: this one), nothing over what is there."""
    _write_new(current_folder() / folder)
    enter = "" if folder == "." else f"cd {folder} && "
    click.echo(f"wrote {', '.join(_FILES)}\nnow try: {enter}ujr run --until-idle")
    return 0


def _write_new(folder: pathlib.Path) -> None:
    from ujr_core.configuration.document import FILE_NAME, PROJECT_FILE_NAME, find
    from ujr_core.errors import ConfigError

    there = [name for name in _FILES if (folder / name).exists()]
    lost = f"{' and '.join(there)} would be overwritten" if there else ""
    if not there and find(None, {}, folder) is not None:
        lost = f"{FILE_NAME} would hide [tool.ujr] in {PROJECT_FILE_NAME}"
    if lost:
        what, fix = f"{lost}, so nothing was written", "name a new folder: ujr init FOLDER"
        raise ConfigError("init-exists", what, str(folder), fix)
    for name in _FILES:
        path = folder / name
        try:
            _write(path, name)
        except OSError as error:  # a write that fails names no file
            what, where = f"the project cannot be written: {error.strerror}", str(error.filename or path)
            raise ConfigError("init-unwritable", what, where, "name a folder that this user may write") from None


def _write(path: pathlib.Path, name: str) -> None:
    import pathlib

    template = pathlib.Path(__file__).parent / "template"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text((template / name).read_text(encoding="utf-8"), encoding="utf-8")
