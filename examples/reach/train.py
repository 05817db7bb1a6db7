"""Train the reach policy: `python -m examples.reach.train [--out FOLDER]`.

About six minutes on two CPU cores. The same seed on the same machine gives the same weights.

1. Look: the eyes learn to point at the marker and at its shadow on the table. The pictures are
   synthetic, so both pixels are known; without this the search for what matters takes far longer.
2. Clone: the eyes are kept, and the transformer learns to answer what they see with the expert's
   chunk. Scenes are rendered and looked at once; every step draws new arm poses around them.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import smooth_l1_loss

from examples.reach.dataset import Demonstrations
from examples.reach.expert import chunk_rad
from rt_infer.policies.reach import (
    IMAGE_SHAPE,
    SHIPPED_CHECKPOINT,
    Normalisation,
    normalise_pictures,
    offset_scale,
    save,
)
from rt_infer.policies.reach_model import ReachModel, ReachSize
from rt_infer.robots.fr3_kinematics import Array


@dataclass(frozen=True)
class Seen:
    """Scenes after the eyes: N points, and the poses they belong to."""

    points: Tensor  # (N, cameras, K, 3)
    q_rad: Array  # (N, 7)
    goal_rad: Array  # (N, 7)


class Schedule:
    """AdamW with a short warm-up and a cosine to zero over `steps`."""

    def __init__(self, parameters: list[torch.nn.Parameter], steps: int, peak_rate: float) -> None:
        self._parameters = parameters
        self._optimiser = torch.optim.AdamW(
            parameters, lr=peak_rate, betas=(0.9, 0.98), weight_decay=1e-4
        )
        self._rate = torch.optim.lr_scheduler.LambdaLR(
            self._optimiser,
            lambda step: min(1.0, (step + 1) / 50) * 0.5 * (1 + math.cos(math.pi * step / steps)),
        )

    def descend(self, loss: Tensor) -> None:
        """One step down the gradient of `loss`."""
        self._optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._parameters, 1.0)
        self._optimiser.step()
        self._rate.step()


def measure_units(demonstrations: Demonstrations) -> Normalisation:
    """Typical sizes of the inputs and outputs."""
    q, goals = demonstrations.poses_and_goals(4096)
    offsets = chunk_rad(q, goals) - q[:, None]
    joint_scale = offsets[:, -1].std(axis=0)
    step_scale = np.sqrt(np.square(offsets / joint_scale).mean(axis=(0, 2)))
    return Normalisation(
        state_mean_rad=tuple(q.mean(axis=0).round(6).tolist()),
        state_scale_rad=tuple(q.std(axis=0).round(6).tolist()),
        step_scale=tuple(step_scale.round(6).tolist()),
        joint_scale_rad=tuple(joint_scale.round(6).tolist()),
    )


def look(model: ReachModel, demonstrations: Demonstrations, steps: int, batch: int) -> None:
    """Teach the eyes to point at the marker and its shadow."""
    schedule = Schedule(list(model.eyes.parameters()), steps, 5e-3)
    for step in range(steps):
        scenes = demonstrations.scenes(batch)
        points = model.see(normalise_pictures(torch.from_numpy(scenes.pictures)))[..., :2]
        wanted = in_heat_map(scenes.points_px)
        schedule.descend(smooth_l1_loss(points, wanted, beta=0.01))
        if step % 50 == 0 or step == steps - 1:
            width_px = IMAGE_SHAPE[1] / 2
            off_px = (points - wanted).detach().abs().median().item() * width_px
            report(f"look  {step:5d}  median error {off_px:6.2f} px")


def in_heat_map(points_px: Array) -> Tensor:
    """Pixels to the eyes' units: the centre of the first cell is -1, of the last 1.

    The eyes see one cell for four pixels, so the centre of cell i is pixel 4 i + 1.5.
    """
    height, width = IMAGE_SHAPE[:2]
    last_cell = np.array([width, height]) / 4.0 - 1.0
    return torch.from_numpy(2.0 * (points_px - 1.5) / 4.0 / last_cell - 1.0).float()


def watch(model: ReachModel, demonstrations: Demonstrations, count: int, batch: int) -> Seen:
    """Render `count` scenes and keep what the eyes make of them."""
    points, poses, goals = [], [], []
    with torch.no_grad():
        for _ in range(0, count, batch):
            scenes = demonstrations.scenes(batch)
            points.append(model.see(normalise_pictures(torch.from_numpy(scenes.pictures))))
            poses.append(scenes.q_rad)
            goals.append(scenes.goal_rad)
    return Seen(torch.cat(points), np.concatenate(poses), np.concatenate(goals))


def clone(
    model: ReachModel,
    units: Normalisation,
    demonstrations: Demonstrations,
    seen: Seen,
    steps: int,
    batch: int,
) -> None:
    """Teach the transformer the expert's chunks: half from the pose seen, half from nearby."""
    learned = [p for name, p in model.named_parameters() if not name.startswith("eyes.")]
    schedule = Schedule(learned, steps, 2e-3)
    mean, scale = torch.tensor(units.state_mean_rad), torch.tensor(units.state_scale_rad)
    unit = offset_scale(units)
    order = np.random.default_rng(0)
    for step in range(steps):
        chosen = order.integers(len(seen.q_rad), size=batch)
        q, goal = seen.q_rad[chosen], seen.goal_rad[chosen]
        half = batch // 2
        q = np.concatenate([q[:half], demonstrations.nearby(q[half:], goal[half:])])
        offsets = torch.from_numpy(chunk_rad(q, goal) - q[:, None]).float()
        state = (torch.from_numpy(q).float() - mean) / scale
        predicted = model.act(seen.points[torch.from_numpy(chosen)], state)
        loss = smooth_l1_loss(predicted, offsets / unit, beta=0.05)
        schedule.descend(loss)
        if step % 250 == 0 or step == steps - 1:
            off_rad = ((predicted * unit)[:, -1] - offsets[:, -1]).detach().abs().mean().item()
            report(f"clone {step:5d}  loss {loss.item():.4f}  last target off {off_rad:.4f} rad")


def report(line: str) -> None:
    print(f"{time.process_time():6.0f} s of CPU  {line}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the reach policy.")
    parser.add_argument("--out", type=Path, default=SHIPPED_CHECKPOINT, help="checkpoint folder")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--look-steps", type=int, default=500)
    parser.add_argument("--scenes", type=int, default=8192, help="rendered for the cloning")
    parser.add_argument("--clone-steps", type=int, default=4000)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    demonstrations = Demonstrations(args.seed)
    units = measure_units(demonstrations)
    model = ReachModel(ReachSize())
    notes = {key: value for key, value in vars(args).items() if key not in ("out", "threads")}
    look(model, demonstrations, args.look_steps, batch=32)
    seen = watch(model, demonstrations, args.scenes, batch=32)
    clone(model, units, demonstrations, seen, args.clone_steps, batch=256)
    save(args.out, model, units, notes)
    print(f"Wrote {args.out}; measure it with: python -m examples.reach.evaluate --path {args.out}")


if __name__ == "__main__":
    main()
