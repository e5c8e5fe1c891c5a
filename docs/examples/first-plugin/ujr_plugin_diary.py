from pathlib import Path

import attrs

from ujr_core import hookimpl


class Diary:
    @attrs.frozen
    class Settings:
        file: Path = Path("diary.txt")

    def __init__(self, settings):
        self.file = settings.file

    @hookimpl
    def task_succeeded(self, run, result):
        self.write(run, f"took {result.duration:.3f} s")

    @hookimpl
    def task_failed(self, run, failure):
        self.write(run, f"failed: {failure.type_name}")

    def write(self, run, what):
        with self.file.open("a", encoding="utf-8", errors="backslashreplace") as file:
            print(run.started_at.date(), run.job, run.label or run.signature, what, file=file)
