"""The network of the shipped `reach` policy: two pictures and the joints in, fifty targets out.

    picture (front) ─ eyes ─ heat maps ─ points ─ token ─┐
    picture (side)  ─ eyes ─ heat maps ─ points ─ token ─┼─ transformer ─ control points ─ (50, 7)
    joints ─────────────────────────────────────── token ┤
    ten queries ────────────────────────────────── tokens┘

Each heat map is reduced to one point by a spatial soft-argmax (Finn et al. 2016), which is finer
than a pixel; its spread tells the transformer how far to trust it, so that one camera may stand in
for the other when the arm hides the marker. The queries come out as the control points of a cubic
B-spline over the chunk's time: neighbouring steps of a chunk cannot differ by noise.

About 0.3 million parameters. Used by the worker (inference) and by examples/reach (training).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class ReachSize:
    """The network's dimensions, stored beside its weights."""

    cameras: int = 2
    joints: int = 7
    chunk: int = 50
    points: int = 2
    knots: int = 10
    width: int = 96
    heads: int = 4
    layers: int = 2


class Eyes(nn.Module):
    """Pictures (N, 3, H, W) to K points (N, K, 3): column and row in -1..1, and their spread.

    All cameras share them. Each point sees 40 pixels across: more than the marker and the hand.
    """

    def __init__(self, points: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 16, 8, stride=4, padding=2),
            nn.ReLU(),
            nn.Conv2d(16, 16, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 16, 3, padding=3, dilation=3),
            nn.ReLU(),
            nn.Conv2d(16, points, 1),
        )

    def forward(self, pictures: Tensor) -> Tensor:
        heat: Tensor = self.layers(pictures)
        rows, columns = heat.shape[-2:]
        weight = heat.flatten(-2).softmax(-1).unflatten(-1, (rows, columns))
        x = torch.linspace(-1, 1, columns, device=heat.device)
        y = torch.linspace(-1, 1, rows, device=heat.device)
        over_x, over_y = weight.sum(-2), weight.sum(-1)
        column, row = over_x @ x, over_y @ y
        variance = over_x @ x.square() - column.square() + over_y @ y.square() - row.square()
        return torch.stack([column, row, variance.clamp_min(1e-6).sqrt()], dim=-1)


class ReachModel(nn.Module):
    """Everything between normalised inputs and normalised offsets from the present joint angles."""

    basis: Tensor

    def __init__(self, size: ReachSize) -> None:
        super().__init__()
        self.size = size
        width = size.width
        self.eyes = Eyes(size.points)
        self.camera_in = nn.ModuleList(
            _embedding(3 * size.points, width) for _ in range(size.cameras)
        )
        self.state_in = _embedding(size.joints, width)
        self.queries = nn.Parameter(0.5 * torch.randn(size.knots, width))
        layer = nn.TransformerEncoderLayer(
            width, size.heads, 4 * width, 0.0, "gelu", batch_first=True, norm_first=True
        )
        self.transformer = nn.TransformerEncoder(layer, size.layers, enable_nested_tensor=False)
        self.out = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, size.joints))
        self.register_buffer("basis", cubic_basis(size.chunk, size.knots), persistent=False)

    def see(self, pictures: Tensor) -> Tensor:
        """(B, cameras, 3, H, W), about -0.5..0.5 -> points (B, cameras, K, 3)."""
        seen: Tensor = self.eyes(pictures.flatten(0, 1))
        return seen.reshape(*pictures.shape[:2], self.size.points, 3)

    def act(self, points: Tensor, state: Tensor) -> Tensor:
        """Points (B, cameras, K, 3) and normalised joints (B, 7) -> offsets (B, T, 7)."""
        views = points.flatten(2).unbind(1)
        tokens = [embed(view) for embed, view in zip(self.camera_in, views, strict=True)]
        tokens.append(self.state_in(state))
        queries = self.queries.expand(len(state), -1, -1)
        mixed = self.transformer(torch.cat([torch.stack(tokens, dim=1), queries], dim=1))
        control_points: Tensor = self.out(mixed[:, len(tokens) :])
        return self.basis @ control_points

    def forward(self, pictures: Tensor, state: Tensor) -> Tensor:
        """(B, cameras, 3, H, W) and (B, 7) -> (B, T, 7), all normalised."""
        return self.act(self.see(pictures), state)


def _embedding(inputs: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, 2 * width), nn.GELU(), nn.Linear(2 * width, width))


def cubic_basis(steps: int, knots: int) -> Tensor:
    """Uniform cubic B-splines at `steps` equally spaced times: (steps, knots), rows sum to one."""
    place = torch.linspace(0.0, knots - 3.0, steps)[:, None]
    distance = (place - torch.arange(-1, knots - 1)).abs()
    near = 2 / 3 - distance.square() + distance.pow(3) / 2
    far = (2 - distance).clamp_min(0).pow(3) / 6
    return torch.where(distance < 1, near, far)
