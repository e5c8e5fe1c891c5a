"""What the command line says of the project: which configuration, which settings over it, which further plugins."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ujr_core.cli.folder import current_folder

if TYPE_CHECKING:
    import pathlib

    from ujr_core.configuration.overrides import Overrides
    from ujr_core.errors import ConfigError
    from ujr_core.project import Project


class Given(NamedTuple):  # not of attrs, whose import costs --help and --version more than all the rest
    """Options that every verb takes, before its name or after it.

    Args:
        config: what ``--config`` says; None: not given.
        plugins: what each ``--plugin`` says.
        sets: what each ``--set`` says.
    """

    config: str | None = None
    plugins: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()

    def path(self) -> pathlib.Path | None:
        """Return the configuration file that is meant, which need not exist; None: there is none."""
        from ujr_core.configuration.document import find

        return find(self.config, os.environ, current_folder())

    def overrides(self) -> Overrides:
        """Return what wins over the configuration's files: each ``--set``, and the environment."""
        from ujr_core.configuration.overrides import VARIABLE, Overrides

        return Overrides(self.sets, {name: text for name, text in os.environ.items() if name.startswith(VARIABLE)})

    def project(self, plugin_settings: Mapping[str, Mapping[str, Any]] | None = None) -> Project:
        """Load the project.

        Args:
            plugin_settings: they win over ``[plugins.<name>]``.

        Raises:
            ConfigError: there is no configuration, or it cannot be read.
        """
        from ujr_core.project import load_project

        path = self.path()
        if path is None:
            raise _no_configuration()
        with self._named():
            return load_project(_file(path), self.plugins, plugin_settings=plugin_settings, overrides=self.overrides())

    def state_folder(self) -> pathlib.Path:
        """Return where the runner of this configuration keeps its state, absolute; no plugin is loaded.

        What else may be wrong with the files is not looked at: a runner may run on what they were before. If they
        cannot be read at all, and it runs, that is shown as a warning.

        Raises:
            ConfigError: there is no configuration, or it cannot be read; and no runner of it runs.
            Faults: several files cannot be read; or the command line or the environment is wrong, which might
                otherwise address another runner than the one that is meant.
        """
        from ujr_core.cli.address import state_folder_beside, state_folder_of

        path = self.path()
        if path is None:
            return state_folder_beside(current_folder(), self.overrides(), _no_configuration())
        with self._named():
            return state_folder_of(_file(path), self.overrides())

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        """Say of a file that is not there by which variable it is named: nobody sees that in the command."""
        from ujr_core.errors import ConfigError

        try:
            yield
        except ConfigError as error:
            if error.code != "config-missing" or self.config or not os.environ.get("UJR_CONFIG"):
                raise
            fix = "correct that variable, or unset it"
            raise ConfigError(error.code, error.what, f"{error.where}, named by UJR_CONFIG", fix) from None


def takes_project(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb ``--config``, ``--set`` and ``--plugin``, and hand it what was given as its first argument."""

    @functools.wraps(verb)
    def given_verb(
        *args: Any, config: str | None, sets: tuple[str, ...], plugin: tuple[str, ...], **kwargs: Any
    ) -> Any:
        ctx = click.get_current_context()
        before = ctx.obj or Given()
        ctx.obj = Given(config or before.config, before.plugins + plugin, before.sets + sets)
        return verb(*args, ctx.obj, **kwargs)

    taken: Callable[..., Any] = given_verb
    for option in reversed(_OPTIONS):
        taken = option(taken)
    return taken


_OPTIONS = (
    click.option("--config", metavar="PATH", help="The configuration file."),
    click.option(
        "--set",
        "sets",
        multiple=True,
        metavar="KEY.PATH=VALUE",
        help="A setting over those of the configuration, such as runner.workers=4.",
    ),
    click.option(
        "-p", "--plugin", multiple=True, metavar="NAME", help='A further plugin: "module" or "module:object".'
    ),
)


def _no_configuration() -> ConfigError:
    from ujr_core.errors import ConfigError

    return ConfigError(
        "config-missing",
        "there is no ujr.toml here, and neither --config nor UJR_CONFIG names another",
        str(current_folder()),
        "go to the folder of yours, or name it: --config PATH; to write one: ujr init",
    )


def _file(path: pathlib.Path) -> pathlib.Path:
    """Return a path, unless it is that of a folder."""
    if not os.path.isdir(path):  # unlike the method of a path, it never raises
        return path
    from ujr_core.configuration.tomlfile import shown_path, unreadable

    raise unreadable("it is a folder", shown_path(path), f"name the file in it: {shown_path(path / 'ujr.toml')}")
