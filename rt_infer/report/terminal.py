"""Where a command prints: a console whose reader may leave in the middle of a run.

`rt-infer robot … | head` closes the pipe after ten lines; a terminal window may be closed. Neither
is a reason to end a motion, to lose a report, or to exit with another status: what nobody can read
is not shown, and that is all.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from rich.console import Console


class Terminal(Console):
    """A rich console that falls silent where others exit or raise."""

    @contextmanager
    def bearing_its_loss(self) -> Iterator[None]:
        """Print in here: a terminal that is gone, or a disk that is full, only ends the output."""
        try:
            yield
        except OSError:
            self.on_broken_pipe()

    def on_broken_pipe(self) -> None:
        """Called by rich instead of raising BrokenPipeError."""
        self.quiet = True
        # What Python still holds back would otherwise fail once more when it exits. A file without
        # a descriptor holds nothing back.
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.dup2(nowhere, self.file.fileno())
            finally:
                os.close(nowhere)
