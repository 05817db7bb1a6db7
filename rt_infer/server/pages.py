"""What the server shows over HTTP. All of it is read from memory: no worker is asked anything."""

from __future__ import annotations

import time
from collections.abc import Callable

from rt_infer import __version__
from rt_infer.server.http import Page
from rt_infer.server.shared import Shared
from rt_infer.server.worker_host import State

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


class Pages:
    """The pages of one server; called by connections' threads."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._started_s = time.monotonic()

    def by_path(self) -> dict[str, Callable[[], Page]]:
        """Every page by its path."""
        return {
            "/": self.status,
            "/healthz": self.health,
            "/readyz": self.readiness,
            "/metrics": self.metrics,
        }

    def status(self) -> Page:
        """For a person: what runs here."""
        lines = [
            f"rt-infer {__version__}, up for {time.monotonic() - self._started_s:.0f} s",
            f"robots: {self._shared.guests.robots()}",
        ]
        for host in self._shared.workers.hosts():
            state = host.progress if host.state is State.LOADING else host.state.value
            lines.append(
                f"policy {host.key}: {state}, {len(host.desk)} robots, worker process {host.pid}"
            )
        lines.append("pages: /healthz /readyz /metrics")
        return Page("200 OK", "\n".join(lines) + "\n")

    def health(self) -> Page:
        """The door answers: that is all it says."""
        return Page("200 OK", "ok\n")

    def readiness(self) -> Page:
        """503 until the policy given at the start can answer; 200 at once if none was given."""
        preload = self._shared.preload
        ready, line = (True, "ready") if preload is None else preload.state()
        return Page("200 OK" if ready else "503 Service Unavailable", line + "\n")

    def metrics(self) -> Page:
        """For Prometheus."""
        shared = self._shared
        hosts = shared.workers.hosts()
        gauges = {
            "connections": shared.guests.connections(),
            "robots": shared.guests.robots(),
            "workers": len(hosts),
            "workers_ready": sum(host.state is State.READY for host in hosts),
        }
        return Page("200 OK", shared.metrics.render(gauges), PROMETHEUS)
