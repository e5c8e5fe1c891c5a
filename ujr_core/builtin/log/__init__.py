"""What happens, on stderr: a plugin of several files, of which this is the door."""

from ujr_core.builtin.log.reporter import Log

__all__ = ["Log"]
