"""Grippers: devices that open and close, each owned by a thread of its own, newest command wins."""

from rt_infer.grippers import robotiq, sim  # each registers what --robot.gripper's type may be

__all__ = ["robotiq", "sim"]
