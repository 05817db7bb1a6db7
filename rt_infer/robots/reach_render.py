"""Draws what the two cameras of the reach scene see: a table, the arm, a floating ball. numpy only.

A pinhole camera projects the arm's links as thick tapered segments, painted from far to near, so a
link may hide the marker and the marker a link. What never moves (table, wall) is drawn once. A
frame takes one to two milliseconds of one core.

Images are uint8 (240, 320, 3), RGB. A `CameraView` has scratch memory of its own: one thread at a
time may render with it, different views may render in different threads.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rt_infer.robots import fr3_kinematics as fr3

Array = NDArray[np.float64]
Image = NDArray[np.uint8]

HEIGHT, WIDTH = 240, 320
FRAME_SHAPE = (HEIGHT, WIDTH, 3)
MARKER_RADIUS_M = 0.03

_FOCAL_PX = 300.0
# Where each camera stands and what it looks at, metres in the robot's base frame.
CAMERAS: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "front": ((1.45, 0.30, 0.62), (0.42, 0.0, 0.27)),
    "side": ((0.30, -1.10, 0.50), (0.40, 0.0, 0.28)),
}

_WHITE, _GREY, _DARK = (232.0, 234.0, 238.0), (176.0, 182.0, 190.0), (58.0, 62.0, 70.0)
_FINGER, _MARKER = (40.0, 120.0, 200.0), (240.0, 84.0, 28.0)


class CameraView:
    """One camera of the scene: `front` (faces the robot) or `side` (from the robot's right)."""

    def __init__(self, camera: str) -> None:
        if camera not in CAMERAS:
            raise ValueError(f"There is no camera {camera!r}; choose one of {sorted(CAMERAS)}.")
        position, target = (np.array(point) for point in CAMERAS[camera])
        forward = (target - position) / np.linalg.norm(target - position)
        right = np.cross(forward, (0.0, 0.0, 1.0))
        right /= np.linalg.norm(right)
        self._position = position
        self._axes = np.stack(
            [right, np.cross(forward, right), forward]
        )  # x right, y down, z ahead
        self._columns = np.arange(WIDTH, dtype=np.float32)[None, :]
        self._rows = np.arange(HEIGHT, dtype=np.float32)[:, None]
        self._background = self._draw_background()

    def project(self, points_m: ArrayLike) -> Array:
        """(..., 3) points in the base frame -> (..., 3): column [px], row [px], depth [m]."""
        seen = (np.asarray(points_m, dtype=np.float64) - self._position) @ self._axes.T
        depth = seen[..., 2]
        column = WIDTH / 2 + _FOCAL_PX * seen[..., 0] / depth
        row = HEIGHT / 2 + _FOCAL_PX * seen[..., 1] / depth
        return np.stack([column, row, depth], axis=-1)

    def render(self, q_rad: ArrayLike, marker_m: ArrayLike, out: Image) -> None:
        """Draw the arm at `q_rad` (7,) and the marker at `marker_m` (3,) into `out`, in place."""
        if out.shape != FRAME_SHAPE or out.dtype != np.uint8:
            raise ValueError(f"out is {out.dtype} {out.shape}; give a uint8 array {FRAME_SHAPE}.")
        np.copyto(out, self._background)
        marker = np.asarray(marker_m, dtype=np.float64)
        starts, ends, radii, colours = _arm_segments(q_rad)
        starts = self.project(np.concatenate([starts, marker[None]]))
        ends = self.project(np.concatenate([ends, marker[None]]))
        radii = [*radii, (MARKER_RADIUS_M, MARKER_RADIUS_M)]
        colours = [*colours, _MARKER]
        self._shadow(marker, out)
        for i in np.argsort(-(starts[:, 2] + ends[:, 2]), kind="stable"):
            self._segment(starts[i], ends[i], radii[i], colours[i], out)

    def _segment(
        self,
        start: Array,
        end: Array,
        radii_m: tuple[float, float],
        colour: tuple[float, float, float],
        out: Image,
    ) -> None:
        """Paint one tapered, round-ended segment, darker towards its edge like a cylinder."""
        (au, av, az), (bu, bv, bz) = start.tolist(), end.tolist()
        ra, rb = _FOCAL_PX * radii_m[0] / az, _FOCAL_PX * radii_m[1] / bz
        left, right = int(min(au - ra, bu - rb)), int(max(au + ra, bu + rb)) + 2
        top, bottom = int(min(av - ra, bv - rb)), int(max(av + ra, bv + rb)) + 2
        left, right, top, bottom = max(left, 0), min(right, WIDTH), max(top, 0), min(bottom, HEIGHT)
        if left >= right or top >= bottom:
            return
        x = self._columns[:, left:right] - np.float32(au)
        y = self._rows[top:bottom] - np.float32(av)
        du, dv = bu - au, bv - av
        length2 = du * du + dv * dv
        if length2 > 1e-6:
            along = x * np.float32(du / length2) + y * np.float32(dv / length2)
            np.clip(along, 0.0, 1.0, out=along)
            distance2 = np.square(x - along * np.float32(du))
            distance2 += np.square(y - along * np.float32(dv))
            radius2 = np.square(along * np.float32(rb - ra) + np.float32(ra))
        else:
            distance2 = x * x + y * y
            radius2 = np.float32(ra * ra)
        relative = distance2 / radius2
        inside = np.nonzero(relative < 1.0)
        shade = 1.0 - 0.5 * relative[inside]
        out[top:bottom, left:right][inside] = shade[:, None] * np.array(colour, dtype=np.float32)

    def _shadow(self, marker_m: Array, out: Image) -> None:
        """Darken the table under the marker, as light from straight above would."""
        ground = np.array([marker_m[0], marker_m[1], 0.0])
        spread = ground + np.array([[0, 0, 0], [MARKER_RADIUS_M, 0, 0], [0, MARKER_RADIUS_M, 0]])
        centre, ahead, left = self.project(spread)[:, :2]
        # The shadow is the image of a circle: solve for the table's coordinates pixel by pixel.
        to_disc = np.linalg.inv(np.stack([ahead - centre, left - centre], axis=1))
        reach = np.abs(ahead - centre) + np.abs(left - centre) + 1
        low = np.maximum(np.floor(centre - reach), 0).astype(int)
        high = np.minimum(np.ceil(centre + reach), (WIDTH, HEIGHT)).astype(int)
        if np.any(low >= high):
            return
        x = self._columns[:, low[0] : high[0]] - centre[0]
        y = self._rows[low[1] : high[1]] - centre[1]
        u = to_disc[0, 0] * x + to_disc[0, 1] * y
        v = to_disc[1, 0] * x + to_disc[1, 1] * y
        inside = np.nonzero(u * u + v * v < 1.0)
        region = out[low[1] : high[1], low[0] : high[0]]
        region[inside] = region[inside] * 0.7

    def _draw_background(self) -> Image:
        """The table (a plane at z = 0 with a faint grain) in front of a wall; always the same."""
        across = np.broadcast_to(self._columns - WIDTH / 2, (HEIGHT, WIDTH)) / _FOCAL_PX
        down = np.broadcast_to(self._rows - HEIGHT / 2, (HEIGHT, WIDTH)) / _FOCAL_PX
        rays = np.stack([across, down, np.ones_like(across)], axis=-1) @ self._axes
        falling = np.minimum(rays[..., 2], -1e-3)
        table = self._position + rays * (-self._position[2] / falling)[..., None]
        x, y = table[..., 0], table[..., 1]
        on_table = (rays[..., 2] < -1e-3) & (np.abs(x - 0.35) < 0.75) & (np.abs(y) < 0.85)
        grain = 6.0 * np.sin(46.0 * y + 3.0 * np.sin(5.0 * x)) + 3.0 * np.sin(171.0 * y + 9.0 * x)
        wood = np.array([150.0, 128.0, 104.0]) + grain[..., None] * np.array([1.0, 0.9, 0.7])
        height = np.clip(rays[..., 2] + 0.6, 0.0, 1.2)
        wall = np.array([92.0, 104.0, 116.0]) + 50.0 * height[..., None]
        picture: Image = np.where(on_table[..., None], wood, wall).clip(0, 255).astype(np.uint8)
        return picture


def _arm_segments(
    q_rad: ArrayLike,
) -> tuple[Array, Array, list[tuple[float, float]], list[tuple[float, float, float]]]:
    """The arm as segments: starts (N, 3), ends (N, 3), radii at both ends [m], colours."""
    frames = fr3.joint_frames(q_rad)
    origin, z_axis = frames[:, :3, 3], frames[:, :3, 2]
    wrist = origin[6]
    flange = wrist + fr3.FLANGE_OFFSET_M * z_axis[6]
    hand = flange + 0.04 * z_axis[6]
    knuckle = flange + 0.06 * z_axis[6]
    tip = flange + fr3.HAND_TCP_M * z_axis[6]
    c, s = np.cos(fr3.HAND_YAW_RAD), np.sin(fr3.HAND_YAW_RAD)
    sideways = -s * frames[6, :3, 0] + c * frames[6, :3, 1]
    parts = [
        (np.zeros(3), origin[1], (0.085, 0.075), _WHITE),
        (origin[1], origin[2], (0.075, 0.068), _WHITE),
        (origin[2], origin[3], (0.070, 0.070), _GREY),
        (origin[3], origin[4], (0.068, 0.058), _WHITE),
        (origin[4], wrist, (0.060, 0.052), _GREY),
        (wrist, flange, (0.050, 0.044), _WHITE),
        (hand - 0.075 * sideways, hand + 0.075 * sideways, (0.026, 0.026), _DARK),
        (knuckle, tip, (0.015, 0.009), _FINGER),
    ]
    starts, ends, radii, colours = zip(*parts, strict=True)
    return np.stack(starts), np.stack(ends), list(radii), list(colours)
