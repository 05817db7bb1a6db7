"""A door as a process of its own, for tests that kill it or look into it.

Started with ServerOptions as JSON; prints its port. Each line on stdin is answered with one line of
JSON about the process; the end of stdin ends it.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys

from rt_infer.server import Server, ServerOptions


def main() -> None:
    """Serve until stdin ends."""
    unpickled: list[str] = []
    with Server(ServerOptions(**json.loads(sys.argv[1]))) as server:
        sys.addaudithook(
            lambda event, _: unpickled.append(event) if event == "pickle.find_class" else None
        )
        print(server.port, flush=True)
        for _ in sys.stdin:
            report = {
                "torch": sorted(name for name in sys.modules if name.partition(".")[0] == "torch"),
                "planted": "planted_policies" in sys.modules,
                "unpickled": unpickled,
                "descriptors": open_descriptors(),
                "workers": {host.key.path: host.pid for host in server.workers.hosts()},
                "robots": server.guests.robots(),
                "connections": server.guests.connections(),
            }
            print(json.dumps(report), flush=True)


def open_descriptors() -> list[str]:
    """What the descriptors of this process lead to, sorted."""
    targets = []
    for fd in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # closed meanwhile: the listing's own, a connection's
            targets.append(os.readlink(f"/proc/self/fd/{fd}"))
    return sorted(targets)


if __name__ == "__main__":
    main()
