"""`Bridge`: what UJR itself has to say comes through the standard library's logger, and goes on through loguru."""

from __future__ import annotations

import logging

from loguru import logger

from ujr_core.builtin.log.sink import Sink


class Bridge(logging.Handler):
    """Takes in the records of the standard library's logger "ujr", through which the runner says its own.

    Args:
        level: number of the least important record that is taken in.
        sink: where they go in the end.
    """

    def __init__(self, level: int, sink: Sink) -> None:
        super().__init__()
        self._sink = sink
        self._source = logging.getLogger("ujr")
        self._level_before = self._source.level
        self._source.setLevel(level)
        self._source.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Hand a record on to loguru."""
        self._sink.keep()
        level = record.levelname if record.levelname in logging.getLevelNamesMapping() else record.levelno
        logger.opt(exception=record.exc_info).log(level, "{}", record.getMessage())

    def remove(self) -> None:
        """Leave the logger as it was."""
        self._source.removeHandler(self)
        self._source.setLevel(self._level_before)
