"""The network of the shipped `reach` policy: two pictures and the joints in, fifty targets out.

    picture (front) ─ stem ─ heat maps ─ keypoints ─┐
    picture (side)  ─ stem ─ heat maps ─ keypoints ─┼─ transformer ─ 50 queries ─ offsets (50, 7)
    joints ─────────────────────────────────────────┘

Each heat map is reduced to one point by a spatial soft-argmax (Finn et al. 2016), which is finer
than a pixel; its spread tells the transformer how far to trust it, so that one camera may stand in
for the other when the arm hides the marker. The queries are cubic B-splines over time with learned
coefficients: neighbouring steps of a chunk cannot differ by noise.

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
    keypoints: int = 8
    width: int = 96
    heads: int = 4
    knots: int = 10


class Eyes(nn.Module):
    """Pictures (N, 3, H, W) to keypoints (N, K, 3): column and row in -1..1, and their spread.

    All cameras share it. Each keypoint sees 40 pixels across: more than the marker and the hand.
    """

    def __init__(self, keypoints: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 16, 8, stride=4, padding=2),
            nn.ReLU(),
            nn.Conv2d(16, 16, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 16, 3, padding=3, dilation=3),
            nn.ReLU(),
            nn.Conv2d(16, keypoints, 1),
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
        self.eyes = Eyes(size.keypoints)
        self.keypoint_in = nn.Linear(3, width)
        self.keypoint_name = nn.Parameter(0.5 * torch.randn(size.cameras * size.keypoints, width))
        self.state_in = nn.Sequential(
            nn.Linear(size.joints, width), nn.GELU(), nn.Linear(width, width)
        )
        self.encoder = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(
                width, size.heads, 2 * width, 0.0, "gelu", batch_first=True, norm_first=True
            ),
            num_layers=2,
            enable_nested_tensor=False,
        )
        self.decoder = nn.TransformerDecoderLayer(
            width, size.heads, 2 * width, 0.0, "gelu", batch_first=True, norm_first=True
        )
        self.coefficients = nn.Parameter(0.5 * torch.randn(size.knots, width))
        self.register_buffer("basis", cubic_basis(size.chunk, size.knots), persistent=False)
        self.out = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, size.joints))

    def see(self, pictures: Tensor) -> Tensor:
        """(B, cameras, 3, H, W), about -0.5..0.5 -> keypoints (B, cameras, K, 3)."""
        seen: Tensor = self.eyes(pictures.flatten(0, 1))
        return seen.reshape(*pictures.shape[:2], self.size.keypoints, 3)

    def act(self, keypoints: Tensor, state: Tensor) -> Tensor:
        """Keypoints (B, cameras, K, 3) and normalised joints (B, 7) -> offsets (B, T, 7)."""
        points = self.keypoint_in(keypoints.flatten(1, 2)) + self.keypoint_name
        tokens = self.encoder(torch.cat([points, self.state_in(state)[:, None]], dim=1))
        queries = (self.basis @ self.coefficients).expand(len(state), -1, -1)
        offsets: Tensor = self.out(self.decoder(queries, tokens))
        return offsets

    def forward(self, pictures: Tensor, state: Tensor) -> Tensor:
        """(B, cameras, 3, H, W) and (B, 7) -> (B, T, 7), all normalised."""
        return self.act(self.see(pictures), state)


def cubic_basis(steps: int, knots: int) -> Tensor:
    """Uniform cubic B-splines at `steps` equally spaced times: (steps, knots), rows sum to one."""
    place = torch.linspace(0.0, knots - 3.0, steps)[:, None]
    distance = (place - torch.arange(-1, knots - 1)).abs()
    near = 2 / 3 - distance.square() + distance.pow(3) / 2
    far = (2 - distance).clamp_min(0).pow(3) / 6
    return torch.where(distance < 1, near, far)
