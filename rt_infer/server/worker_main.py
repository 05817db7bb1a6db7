"""Where a worker process starts: `python -m rt_infer.server.worker_main`, run by the door only."""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import socket
import sys

from rt_infer.policies.registry import PolicyKey
from rt_infer.server.worker import Worker

_PR_SET_PDEATHSIG = 1  # prctl(2)


def _die_with(door: int) -> None:
    """Have the kernel kill this process when the door's thread for it ends, whatever runs here."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != door:  # it ended before the call above
        raise SystemExit(1)


def main() -> int:
    """Serve one policy over the inherited channel until the door hangs up; the exit status."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--channel", type=int, required=True)
    parser.add_argument("--door", type=int, required=True)
    parser.add_argument("--type", required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--device", required=True)
    parser.add_argument("--allow_python", action="append", default=[])
    options = parser.parse_args()

    _die_with(options.door)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    key = PolicyKey(options.type, options.path, options.device)
    with socket.socket(fileno=options.channel) as channel:
        return Worker(channel, key, options.allow_python).run()


if __name__ == "__main__":
    sys.exit(main())
