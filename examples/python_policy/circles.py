"""Your own policy, complete: elbow and wrist go round in circles. docs/policies.md says the rest.

The chunk is what a velocity field says, followed from the state that was seen: a feedback without
memory, so that each chunk goes on where the last one was. Put your network in the field's place.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from rt_infer.policies.base import STATE_KEY, PolicySpec

JOINTS = tuple(f"joint_{i}.pos" for i in range(1, 8))
CENTRE_RAD = (0.0, -0.785, 0.0, -2.256, 0.0, 1.571, 0.785)
RADIUS_RAD, LAP_S, FPS, STEPS = 0.1, 4.0, 30.0, 50


class Field(torch.nn.Module):
    """The velocity at q (B, 7) [rad], [rad/s]: round the centre in joints 4 and 6, else home."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("centre", torch.tensor(CENTRE_RAD))

    def forward(self, q: torch.Tensor) -> torch.Tensor:
        away = q - self.centre
        x, y = away[:, 3], away[:, 5]
        inward = (1 - (x * x + y * y) / RADIUS_RAD**2).clamp(min=-1)
        turn = 2 * torch.pi / LAP_S
        velocity = -away
        velocity[:, 3] = inward * x - turn * y
        velocity[:, 5] = inward * y + turn * x
        return velocity


class Circles:
    """A policy as the server wants it: see `Policy` in rt_infer/policies/base.py."""

    def __init__(self, device: str) -> None:
        self.spec = PolicySpec(state=JOINTS, images={}, actions=JOINTS, chunk_size=STEPS, fps=FPS)
        self._device = torch.device(device)
        self._field = Field().to(self._device).eval()

    def reset(self, session: int) -> None:
        """Nothing is remembered between observations."""

    def prepare(self, observation: Mapping[str, np.ndarray | str]) -> torch.Tensor:
        state = np.array(observation[STATE_KEY], dtype=np.float32)  # a copy
        return torch.from_numpy(state).to(self._device)[None]

    @torch.inference_mode()
    def infer(self, batch: torch.Tensor) -> torch.Tensor:
        path = [batch]
        for _ in range(STEPS):
            path.append(path[-1] + self._field(path[-1]) / FPS)
        return torch.stack(path[:-1], dim=1)  # action i is for i steps after the observation

    def finish(self, output: torch.Tensor) -> np.ndarray:
        return output[0].float().cpu().numpy()


def make(device: str) -> Circles:
    """What --allow_python names; `device` is the robot's --policy_device."""
    return Circles(device)
