"""Draws the pictures of docs/motion.md into docs/images, from runs in virtual time.

    python docs/figures/motion.py            all of them
    python docs/figures/motion.py splice     one

Nothing is random and nothing reads a clock: the same core draws the same pictures.
"""

from __future__ import annotations

import sys

from following import range_end, raw_targets, splice
from resting import lost_packets, starvation, stop

PICTURES = {
    "raw-targets": raw_targets,
    "splice": splice,
    "range-end": range_end,
    "starvation": starvation,
    "stop": stop,
    "lost-packets": lost_packets,
}

if __name__ == "__main__":
    for name in sys.argv[1:] or PICTURES:
        PICTURES[name]()
