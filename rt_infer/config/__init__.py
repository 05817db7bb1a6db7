"""Every flag of every command, in one place: names, defaults, units, and what is refused.

The names are LeRobot's where LeRobot has the thing (its async inference guide); the rest follows
docs/architecture.md. Times end in _s and are seconds. Values that make no sense raise ValueError
with a sentence, from the command line, a file, or Python alike.
"""

from rt_infer.config.demo import DemoConfig
from rt_infer.config.motion import MAX_CHUNK, MotionConfig
from rt_infer.config.replay import ReplayConfig
from rt_infer.config.robot import RealtimeConfig, RunConfig
from rt_infer.config.server import ServerConfig

__all__ = [
    "MAX_CHUNK",
    "DemoConfig",
    "MotionConfig",
    "RealtimeConfig",
    "ReplayConfig",
    "RunConfig",
    "ServerConfig",
]
