"""How long to wait before something that failed is tried again."""

from __future__ import annotations

import random
from collections.abc import Iterator

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0


def pauses() -> Iterator[float]:
    """Seconds between attempts: doubling up to a limit, each shaken by up to a half."""
    pause_s = FIRST_PAUSE_S
    while True:
        yield pause_s * random.uniform(0.5, 1.5)
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
