"""The core process: ``python -m rt_infer.robot.core_main REGION_FD HEARTBEAT_FD CONFIG_JSON``.

Started by core_process.py and by nothing else. Once ``_core.run`` has begun, the interpreter does
not run again until the motion has ended. It imports as little as it can, and no numpy: a library
that started threads of its own would have them take SIGTERM, which is for the watch thread alone.
"""

from __future__ import annotations

import json
import signal
import sys

__all__ = ["main"]

COULD_NOT_START = 2
_STATUS_OF_PHASE = {4: 0, 5: 5}  # finished in order; the arm faulted


def main(arguments: list[str]) -> int:
    """Exit status: 0 finished in order, 5 the arm faulted, 2 could not start (see stderr)."""
    for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(ignored, signal.SIG_IGN)
    # Blocked in every thread from here on; the watch thread reads it from a signalfd.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        from rt_infer import _core

        region_fd, heartbeat_fd, config = arguments
        phase = _core.run(int(region_fd), int(heartbeat_fd), json.loads(config))
    except (ImportError, RuntimeError, ValueError) as error:
        print(f"The core could not start: {error}", file=sys.stderr)
        return COULD_NOT_START
    return _STATUS_OF_PHASE[phase]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
