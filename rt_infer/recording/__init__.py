"""Recordings of runs (`--record=FILE`): what the core was told, cycle by cycle, and what it did.

    run = rt_infer.recording.open("run.rec")
    run.cycles["q_command"]          # (n, 7) rad, one row for each millisecond
    run.time_s                       # (n,) s since the first cycle
    for chunk in run.chunks: …       # what the policy answered, as the core got it

The bytes of the file: docs/recordings.md. Reading needs nothing but numpy.
"""

from __future__ import annotations

from rt_infer.recording.reader import Chunk, Gap, Recording, RecordingError
from rt_infer.recording.reader import open_recording as open

__all__ = ["Chunk", "Gap", "Recording", "RecordingError", "open"]
