"""The shipped `reach` policy: the fingertip goes to the marker that the two cameras see.

`load("", device)` gives the checkpoint that comes with the package; a path names a folder of the
same form, as examples/reach/train.py writes it: `model.safetensors` (weights) and `config.json`
(sizes and normalisation). Neither can hold code. The policy remembers nothing between observations.

It answers with 50 targets for the seven joints [rad] at 30 Hz; target i is the command of the i-th
step after the observation, and a joint follows a command within a step. Called by one thread, the
worker's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from rt_infer.policies.base import IMAGE_KEY_PREFIX, STATE_KEY, CannotLoad, PolicySpec
from rt_infer.policies.reach_model import ReachModel, ReachSize

FORMAT = "rt-infer.reach/1"
SHIPPED_CHECKPOINT = Path(__file__).parent / "reach_checkpoint"
WEIGHTS_FILE, CONFIG_FILE = "model.safetensors", "config.json"

CAMERAS = ("front", "side")
IMAGE_SHAPE = (240, 320, 3)
JOINTS = tuple(f"joint_{i}.pos" for i in range(1, 8))
FPS = 30.0


@dataclass(frozen=True)
class Normalisation:
    """The network's units: state = (q - mean) / scale; target = q + output * step * joint scale."""

    state_mean_rad: tuple[float, ...]
    state_scale_rad: tuple[float, ...]
    step_scale: tuple[float, ...]
    joint_scale_rad: tuple[float, ...]


class ReachPolicy:
    """A loaded network behind the `Policy` protocol of rt_infer.policies.base."""

    def __init__(self, model: ReachModel, units: Normalisation, device: str) -> None:
        self._device = torch.device(device)
        self._model = model.to(self._device).eval()
        self._mean = torch.tensor(units.state_mean_rad, device=self._device)
        self._scale = torch.tensor(units.state_scale_rad, device=self._device)
        self._offset_scale = offset_scale(units).to(self._device)
        self._spec = PolicySpec(
            state=JOINTS,
            images=dict.fromkeys(CAMERAS, IMAGE_SHAPE),
            actions=JOINTS,
            chunk_size=model.size.chunk,
            fps=FPS,
        )

    @property
    def spec(self) -> PolicySpec:
        """Seven joints and two cameras in, chunks of fifty targets out."""
        return self._spec

    def reset(self, session: int) -> None:
        """Nothing to forget: every observation is answered from itself alone."""

    def prepare(self, observation: Mapping[str, np.ndarray | str]) -> tuple[Tensor, Tensor]:
        """Pixels and joints of one observation on the model's device, copied."""
        pictures = np.stack(
            [_array(observation, IMAGE_KEY_PREFIX + name, IMAGE_SHAPE) for name in CAMERAS]
        )
        state = np.array(_array(observation, STATE_KEY, (len(JOINTS),)), dtype=np.float32)
        return (
            normalise_pictures(torch.from_numpy(pictures).to(self._device)[None]),
            torch.from_numpy(state).to(self._device)[None],
        )

    def infer(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """The forward pass: (1, T, 7) joint targets [rad] on the model's device."""
        pictures, state = batch
        with torch.inference_mode():
            offsets = self._model(pictures, (state - self._mean) / self._scale)
            targets: Tensor = state[:, None] + offsets * self._offset_scale
            return targets

    def finish(self, output: Tensor) -> np.ndarray:
        """float32 (T, 7)."""
        return np.ascontiguousarray(output[0].cpu().numpy(), dtype=np.float32)


def load(path: str, device: str) -> ReachPolicy:
    """Load a checkpoint folder (the shipped one when `path` is empty) onto `device`.

    Raises CannotLoad when there is no such device, when a file is missing, and when it is not a
    reach checkpoint.
    """
    _check_device(device)
    folder = Path(path) if path else SHIPPED_CHECKPOINT
    for name in (CONFIG_FILE, WEIGHTS_FILE):
        if not (folder / name).is_file():
            raise CannotLoad(
                f"There is no {name} in {folder}; give a folder written by "
                "examples/reach/train.py, or an empty path for the shipped policy."
            )
    try:
        config = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
        if config["format"] != FORMAT:
            raise ValueError(f"its format is {config['format']!r}, not {FORMAT!r}")
        model = ReachModel(ReachSize(**config["size"]))
        units = Normalisation(**{key: tuple(v) for key, v in config["normalisation"].items()})
        model.load_state_dict(load_file(folder / WEIGHTS_FILE))
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CannotLoad(
            f"{folder} is not a reach checkpoint this version can load ({error}); train it again "
            "with examples/reach/train.py."
        ) from error
    return ReachPolicy(model, units, device)


def _check_device(device: str) -> None:
    try:
        torch.zeros(1, device=device)
    # AssertionError: what a torch without CUDA raises
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        raise CannotLoad(
            f"The server has no device {device!r} ({reason}); choose another --policy_device, e.g. "
            "cpu."
        ) from error


def save(folder: Path, model: ReachModel, units: Normalisation, notes: Mapping[str, Any]) -> None:
    """Write a checkpoint that `load` reads; `notes` (how it was trained) is kept for the reader."""
    folder.mkdir(parents=True, exist_ok=True)
    state = model.state_dict()
    save_file({name: state[name].cpu().contiguous() for name in state}, folder / WEIGHTS_FILE)
    config = {
        "format": FORMAT,
        "size": asdict(model.size),
        "normalisation": asdict(units),
        "training": dict(notes),
    }
    (folder / CONFIG_FILE).write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")


def normalise_pictures(pictures: Tensor) -> Tensor:
    """uint8 (..., H, W, 3) to float32 (..., 3, H, W) in -0.5..0.5."""
    return pictures.movedim(-1, -3).float().mul_(1 / 255).sub_(0.5)


def offset_scale(units: Normalisation) -> Tensor:
    """Radians for one unit of the network's output, (T, 7)."""
    return torch.tensor(units.step_scale)[:, None] * torch.tensor(units.joint_scale_rad)


def _array(
    observation: Mapping[str, np.ndarray | str], key: str, shape: tuple[int, ...]
) -> np.ndarray:
    value = observation.get(key)
    if not isinstance(value, np.ndarray) or value.shape != shape:
        found = value.shape if isinstance(value, np.ndarray) else type(value).__name__
        raise ValueError(f"The reach policy needs {key!r} of shape {shape}; it got {found}.")
    return value
