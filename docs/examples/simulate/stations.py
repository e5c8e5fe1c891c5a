"""Four hundred stations each hour, ninety images every two hours, ten reports each night."""

from ujr_core import hookimpl


@hookimpl
def config_source(start):
    stations = {f"station-{number}": {"every": "1h", "spread": "1h"} for number in range(400)}
    images = {f"image-{number}": {"every": "2h", "spread": "2h"} for number in range(90)}
    reports = {f"report-{number}": {"cron": "0 3 * * *", "timezone": "UTC"} for number in range(10)}
    jobs = stations | images | reports
    return {name: {"plugin": "stations", "timeout": "1h", **settings} for name, settings in jobs.items()}


@hookimpl
def get_runnable_tasks(job):
    raise NotImplementedError("a simulation asks nobody")
