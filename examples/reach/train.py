"""Train the reach policy by behaviour cloning: `python -m examples.reach.train [--out FOLDER]`.

About eight minutes on two CPU cores. The same seed on the same machine gives the same weights.

The loss has two parts: how far the predicted chunk is from the expert's, and, as the pictures are
synthetic and the marker's pixel is known, how far the first keypoint of each camera is from it. The
second part only shortens the search for what to look at; it fades out in the first half.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import smooth_l1_loss

from examples.reach.dataset import Batch, Demonstrations
from rt_infer.policies.reach import (
    IMAGE_SHAPE,
    SHIPPED_CHECKPOINT,
    Normalisation,
    normalise_pictures,
    offset_scale,
    save,
)
from rt_infer.policies.reach_model import ReachModel, ReachSize


def measure_units(seed: int) -> Normalisation:
    """Typical sizes of the inputs and outputs, from demonstrations without pictures."""
    q, targets = Demonstrations(seed).states(4096)
    offsets = targets - q[:, None]
    joint_scale = offsets[:, -1].std(axis=0)
    step_scale = np.sqrt(np.square(offsets / joint_scale).mean(axis=(0, 2)))
    return Normalisation(
        state_mean_rad=tuple(q.mean(axis=0).round(6).tolist()),
        state_scale_rad=tuple(q.std(axis=0).round(6).tolist()),
        step_scale=tuple(step_scale.round(6).tolist()),
        joint_scale_rad=tuple(joint_scale.round(6).tolist()),
    )


class Trainer:
    """The model, its optimiser, and one step of both."""

    def __init__(self, units: Normalisation, steps: int, peak_rate: float) -> None:
        self.model = ReachModel(ReachSize())
        self._mean = torch.tensor(units.state_mean_rad)
        self._scale = torch.tensor(units.state_scale_rad)
        self._offset_scale = offset_scale(units)
        self._optimiser = torch.optim.AdamW(
            self.model.parameters(), lr=peak_rate, weight_decay=1e-4, betas=(0.9, 0.98)
        )
        self._rate = torch.optim.lr_scheduler.LambdaLR(
            self._optimiser, lambda step: _warm_then_cosine(step, steps)
        )

    def step(self, batch: Batch, pointing_weight: float) -> tuple[float, float]:
        """One gradient step; answers with the chunk's loss and the keypoint's loss."""
        pictures = normalise_pictures(torch.from_numpy(batch.pictures))
        keypoints = self.model.see(pictures)
        pointing = smooth_l1_loss(keypoints[:, :, 0, :2], _marker_goal(batch), beta=0.02)

        q = torch.from_numpy(batch.q_rad).float()
        targets = torch.from_numpy(batch.targets_rad).float()
        expected = (targets - q[:, :, None]) / self._offset_scale
        shared = keypoints.repeat_interleave(q.shape[1], dim=0)
        predicted = self.model.act(shared, ((q - self._mean) / self._scale).flatten(0, 1))
        cloning = smooth_l1_loss(predicted, expected.flatten(0, 1), beta=0.05)

        self._optimiser.zero_grad()
        (cloning + pointing_weight * pointing).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self._optimiser.step()
        self._rate.step()
        return cloning.item(), pointing.item()


def _warm_then_cosine(step: int, steps: int) -> float:
    return min(1.0, (step + 1) / 50) * 0.5 * (1.0 + math.cos(math.pi * min(1.0, step / steps)))


def _marker_goal(batch: Batch) -> Tensor:
    """The marker's centre in the keypoints' units: -1..1 across the heat map."""
    height, width = IMAGE_SHAPE[:2]
    # The centre of heat cell i is pixel 4 i + 1.5; the first cell is -1, the last is 1.
    cells = (batch.marker_px - 1.5) / 4.0
    last_cell = np.array([width, height]) / 4.0 - 1.0
    return torch.from_numpy(2.0 * cells / last_cell - 1.0).float()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=SHIPPED_CHECKPOINT, help="checkpoint folder")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--batch", type=int, default=32, help="scenes in a batch")
    parser.add_argument("--rate", type=float, default=1.5e-3, help="peak learning rate")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    units = measure_units(args.seed)
    trainer = Trainer(units, args.steps, args.rate)
    demonstrations = Demonstrations(args.seed + 1)
    began_s = time.monotonic()
    for step in range(args.steps):
        fading = max(0.0, 1.0 - 2.0 * step / args.steps)
        cloning, pointing = trainer.step(demonstrations.batch(args.batch), fading)
        if step % 50 == 0 or step == args.steps - 1:
            elapsed_s = time.monotonic() - began_s
            print(
                f"step {step:5d}  chunk {cloning:.4f}  keypoint {pointing:.4f}  {elapsed_s:.0f} s",
                flush=True,
            )
    notes = {"seed": args.seed, "steps": args.steps, "batch": args.batch, "rate": args.rate}
    save(args.out, trainer.model, units, notes)
    print(f"Wrote {args.out}; measure it with: python -m examples.reach.evaluate --path {args.out}")


if __name__ == "__main__":
    main()
