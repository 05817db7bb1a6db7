"""What the user is told of a run that goes on: each thing once, and trouble only if it lasts.

What may come with every chunk would fill the terminal, and a camera may be late now and then
without anybody having to know. The uplink's thread calls everything here.
"""

from __future__ import annotations

import time
from collections.abc import Callable

TROUBLE_S = 0.5  # how long it lasts before it is told


class Notices:
    """Of one run, all its connections together."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._told: set[str] = set()
        self._trouble_since_s: float | None = None

    def once(self, what: str, sentence: str) -> None:
        """Tell it, unless something was told under this name before."""
        if what not in self._told:
            self._told.add(what)
            self._say(sentence)

    def trouble(self, sentence: str | None) -> None:
        """What keeps observations from being made just now; None: nothing.

        Told once it has lasted, and again only after it was gone.
        """
        if sentence is None:
            self._trouble_since_s = None
        elif self._trouble_since_s is None:
            self._trouble_since_s = time.monotonic()
        elif time.monotonic() - self._trouble_since_s > TROUBLE_S:
            self._trouble_since_s = float("inf")  # told; once is enough
            self._say(sentence)
