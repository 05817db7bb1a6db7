"""Let a reach checkpoint play the reach scene in closed loop and count: no network, no robot.

`python -m examples.reach.evaluate [--path FOLDER] [--seeds 10]` prints, for every seed, how many of
ten markers were reached: with the true pictures, with another scene's pictures, with black ones.

The world around the policy is kept simple: time runs in steps of 1/30 s; the arm follows its target
with a first-order lag; a new observation goes out after `EXECUTE_STEPS` steps of a chunk, and its
answer arrives `DELAY_STEPS` later, when as many of its actions are already in the past. From one
chunk to the next the command changes over within `BLEND_STEPS`, as the runtime's splice does, and
never faster than `MAX_STEP_RAD` a step.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

from examples.reach.expert import FPS, chunk_rad, goal_rad
from rt_infer.policies.base import Policy
from rt_infer.robots.fr3_kinematics import HOME_RAD, Array
from rt_infer.robots.reach_scene import CAMERA_SHAPES, ReachScene

EXECUTE_STEPS = 20
DELAY_STEPS = 3
BLEND_STEPS = 4
LAG_S = 0.02
MAX_STEP_RAD = 0.08

Brain = Callable[[Array, ReachScene], Array]
"""Answers joint angles and the scene in sight with a chunk of targets, (7,) -> (T, 7)."""


def expert(q_rad: Array, scene: ReachScene) -> Array:
    """The teacher, which knows where the marker is."""
    return chunk_rad(q_rad, goal_rad(scene.marker_m))


def through_cameras(policy: Policy) -> Brain:
    """A policy that sees the scene only through its cameras."""

    def answer(q_rad: Array, scene: ReachScene) -> Array:
        observation: dict[str, np.ndarray | str] = {
            "observation.state": q_rad.astype(np.float32),
            "task": "",
        }
        for camera, shape in CAMERA_SHAPES.items():
            picture = np.empty(shape, dtype=np.uint8)
            scene.render(camera, q_rad, picture)
            observation[f"observation.images.{camera}"] = picture
        return policy.finish(policy.infer(policy.prepare(observation)))

    return answer


def seeing_another_scene(policy: Policy, seed: int) -> Brain:
    """The same policy fooled: the arm in its pictures is right, the markers are another game's.

    That game goes on with the real one: a marker is exchanged whenever the real one is.
    """
    look = through_cameras(policy)
    others: dict[int, ReachScene] = {}

    def answer(q_rad: Array, scene: ReachScene) -> Array:
        turn = scene.score()["targets"]
        if turn not in others:
            others[turn] = ReachScene(1000 * seed + turn, targets=1)
        return look(q_rad, others[turn])

    return answer


def blind(policy: Policy) -> Brain:
    """The same policy in the dark: black pictures."""

    def answer(q_rad: Array, scene: ReachScene) -> Array:
        observation: dict[str, np.ndarray | str] = {
            f"observation.images.{camera}": np.zeros(shape, dtype=np.uint8)
            for camera, shape in CAMERA_SHAPES.items()
        }
        observation["observation.state"] = q_rad.astype(np.float32)
        return policy.finish(policy.infer(policy.prepare(observation)))

    return answer


def play(brain: Brain, scene: ReachScene, execute_steps: int = EXECUTE_STEPS) -> float:
    """Play `scene` to its end; answers with the seconds of scene time it took."""
    measured = np.array(HOME_RAD)
    command = measured.copy()
    follow = 1.0 - np.exp(-1.0 / (FPS * LAG_S))
    chunk, chunk_start = brain(measured, scene), 0
    waiting: tuple[Array, int] | None = None
    previous, previous_start = chunk, 0
    switched = -BLEND_STEPS
    step = 0
    while not scene.done:
        scene.update(measured, step / FPS)
        if waiting is None and step - chunk_start >= execute_steps:
            waiting = brain(measured, scene), step
        if waiting is not None and step - waiting[1] >= DELAY_STEPS:
            previous, previous_start = chunk, chunk_start
            (chunk, chunk_start), waiting, switched = waiting, None, step
        share = min(1.0, (step - switched + 1) / BLEND_STEPS)
        wanted = share * _action(chunk, step - chunk_start)
        wanted += (1.0 - share) * _action(previous, step - previous_start)
        command += np.clip(wanted - command, -MAX_STEP_RAD, MAX_STEP_RAD)
        measured += follow * (command - measured)
        step += 1
    return step / FPS


def _action(chunk: Array, index: int) -> Array:
    return np.asarray(chunk[min(index, len(chunk) - 1)], dtype=np.float64)


def main() -> None:
    import torch

    from rt_infer.policies.reach import load

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--path", default="", help="checkpoint folder; empty: the shipped one")
    parser.add_argument("--seeds", type=int, default=10, help="how many scenes")
    parser.add_argument("--first-seed", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    policy = load(str(Path(args.path)) if args.path else "", "cpu")

    print("scene    expert   policy (seconds)   another scene's pictures   black pictures")
    totals = np.zeros(4, dtype=int)
    seeds = range(args.first_seed, args.first_seed + args.seeds)
    for seed in seeds:
        brains = (
            expert,
            through_cameras(policy),
            seeing_another_scene(policy, seed),
            blind(policy),
        )
        scenes = [ReachScene(seed) for _ in brains]
        seconds = [play(brain, scene) for brain, scene in zip(brains, scenes, strict=True)]
        reached = [scene.score()["reached"] for scene in scenes]
        totals += reached
        print(
            f"{seed:5d}  {reached[0]:8d}  {reached[1]:8d} ({seconds[1]:5.1f} s)"
            f"  {reached[2]:24d}  {reached[3]:15d}"
        )
    print(
        f"of {10 * len(seeds):3d}  {totals[0]:7d}  {totals[1]:8d}  {totals[2]:34d}  {totals[3]:15d}"
    )


if __name__ == "__main__":
    main()
