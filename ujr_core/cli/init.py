"""``ujr init``: a project that runs at once, to begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import pathlib

_FILES = ("ujr.toml", "jobs.py", "inbox/first.txt", "inbox/second.txt")


@click.command()
@click.argument("folder", default=".", type=click.Path(file_okay=False))
def init(folder: str) -> int:
    """Write a commented ujr.toml and jobs.py into FOLDER (default: this one), nothing over what is there."""
    import pathlib

    _write_new(pathlib.Path(folder))
    enter = "" if folder == "." else f"cd {folder} && "
    click.echo(f"wrote {', '.join(_FILES)}\nnow try: {enter}ujr run --until-idle")
    return 0


def _write_new(folder: pathlib.Path) -> None:
    from ujr_core.errors import ConfigError

    there = [name for name in _FILES if (folder / name).exists()]
    if there:
        raise ConfigError(
            "init-exists",
            f"{' and '.join(there)} would be overwritten, so nothing was written",
            str(folder.absolute()),
            "name a new folder: ujr init FOLDER",
        )
    try:
        _write(folder)
    except OSError as error:
        raise ConfigError("init-unwritable", f"the project cannot be written: {error.strerror}",
                          str(error.filename), "name a folder that this user may write") from None  # fmt: skip


def _write(folder: pathlib.Path) -> None:
    import pathlib

    template = pathlib.Path(__file__).parent / "template"
    for name in _FILES:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((template / name).read_text(encoding="utf-8"), encoding="utf-8")
