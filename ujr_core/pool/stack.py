"""The signal that has a worker write where its threads are, and go on."""

from __future__ import annotations

import signal

STACK = signal.SIGRTMAX - 1 if hasattr(signal, "SIGRTMAX") else signal.SIGUSR2
"""One that tasks leave alone. TERM has it written, too, but not where a task handles TERM itself."""
