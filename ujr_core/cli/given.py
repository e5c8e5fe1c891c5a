"""What the command line says of the project: which configuration, which further plugins."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ujr_core.cli.folder import current_folder

if TYPE_CHECKING:
    import pathlib

    from ujr_core.project import Project


class Given(NamedTuple):  # not of attrs, whose import costs --help and --version more than all the rest
    """Options that every verb takes, before its name or after it.

    Args:
        config: what ``--config`` says; None: not given.
        plugins: what each ``--plugin`` says.
    """

    config: str | None = None
    plugins: tuple[str, ...] = ()

    def path(self) -> pathlib.Path | None:
        """Return the configuration file that is meant, which need not exist; None: there is none."""
        import os

        from ujr_core.configuration.document import find

        return find(self.config, os.environ, current_folder())

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
        return load_project(path, self.plugins, plugin_settings=plugin_settings)

    def state_folder(self) -> pathlib.Path:
        """Return where the runner of this configuration keeps its state, absolute; no plugin is loaded.

        What else may be wrong with the configuration is not looked at: a runner may run on what it was before.

        Raises:
            ConfigError: there is no configuration, or it cannot be read.
        """
        from ujr_core.configuration.settings import read_main

        path = self.path()
        if path is None:
            raise _no_configuration()
        main = read_main(path)
        return main.folder / main.runner.state_dir


def takes_project(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb ``--config`` and ``--plugin``, and hand it what was given as its first argument."""

    @functools.wraps(verb)
    def given_verb(*args: Any, config: str | None, plugin: tuple[str, ...], **kwargs: Any) -> Any:
        ctx = click.get_current_context()
        before = ctx.obj or Given()
        ctx.obj = Given(config or before.config, before.plugins + plugin)
        return verb(*args, ctx.obj, **kwargs)

    with_plugin = click.option(
        "-p", "--plugin", multiple=True, metavar="NAME", help='A further plugin: "module" or "module:object".'
    )
    return click.option("--config", metavar="PATH", help="The configuration file.")(with_plugin(given_verb))


def _no_configuration() -> Exception:
    from ujr_core.errors import ConfigError

    return ConfigError(
        "config-missing",
        "there is no ujr.toml here, and neither --config nor UJR_CONFIG names another",
        str(current_folder()),
        "write one with: ujr init",
    )
