"""Cameras: what a robot's process sees, each in a thread of its own, the newest frame wins."""
