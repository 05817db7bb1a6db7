"""The observation that the benches send: two VGA cameras and seven joints."""

from __future__ import annotations

from typing import Any

import numpy as np

from rt_infer import ObservationSpec

STEPS = 50
STATE = "observation.state"
CAMERAS = ("observation.images.front", "observation.images.wrist")
SPEC = ObservationSpec(state=7, images={"front": (480, 640, 3), "wrist": (480, 640, 3)})


def observation() -> dict[str, Any]:
    """One that fits SPEC, without a task; the pixels are noise, so that nothing is a zero page."""
    pixels = np.random.default_rng(1)
    shape = (480, 640, 3)
    images = {name: pixels.integers(0, 256, shape, np.uint8) for name in CAMERAS}
    return {STATE: np.linspace(0.1, 0.7, 7, dtype=np.float32), **images}
