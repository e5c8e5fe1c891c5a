"""``ujr show``: the settings of a job, where each comes from, and what the job is doing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from ujr_core.cli.given import Given, takes_project

if TYPE_CHECKING:
    from ujr_core.project import Project
    from ujr_core.values import JobConfig

HEADINGS = ("SETTING", "VALUE", "FROM")


@click.command()
@takes_project
@click.argument("job")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def show(given: Given, *, job: str, as_json: bool) -> None:
    """Show the settings of a job, where each comes from, and, if a runner runs, what the job is doing."""
    answer = _of_runner(given, job)
    if answer is None:
        answer = {"job": job, "settings": _of_project(given, job), "explanation": None}
    if as_json:
        import json

        click.echo(json.dumps({key: answer[key] for key in ("job", "settings", "explanation")}, indent=2))
        return
    _show(answer)


def _of_runner(given: Given, job: str) -> Mapping[str, Any] | None:
    from ujr_core.cli.running import answer_if_running
    from ujr_core.control.wire import Request

    return answer_if_running(given.state_folder(), Request("show", job), given.sets)


def _of_project(given: Given, job: str) -> list[dict[str, Any]]:
    from ujr_core.configuration.showing import shown_settings
    from ujr_core.errors import Faults

    project = given.project()
    with project.opened():
        if project.faults:
            raise Faults(project.faults)
        config = _chosen(project, job)
        shown = shown_settings(config, project.tables[config.name], project.main.document)
    return [{"key": one.key, "value": one.value, "origin": one.origin} for one in shown]


def _chosen(project: Project, job: str) -> JobConfig:
    from ujr_core.configuration.jobname import normal_name
    from ujr_core.errors import ConfigError, did_you_mean

    name = normal_name(job)
    if name not in project.jobs:
        fix = did_you_mean(name, project.jobs) or "ujr list shows the jobs there are"
        raise ConfigError("config-unknown-job", f'there is no job "{name}"', "ujr show", fix)
    return project.jobs[name]


def _show(answer: Mapping[str, Any]) -> None:
    from ujr_core.cli.table import show_table

    explanation = answer["explanation"]
    if explanation is not None:
        from ujr_core.foreign import printable

        for line in (f"{explanation['job']}: {explanation['state']}", f"  {explanation['text']}", ""):
            click.echo(printable(line))
    show_table(HEADINGS, _rows(answer["settings"]))


def _rows(settings: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    return [(one["key"], _text(one["value"]), one["origin"]) for one in settings]


def _text(value: Any) -> str:
    import json

    return "-" if value is None else json.dumps(value, ensure_ascii=False)
