"""What the server shows over HTTP. All of it is read from memory: no worker is asked anything."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from rt_infer import __version__
from rt_infer.server.http import Page
from rt_infer.server.worker_host import State

if TYPE_CHECKING:
    from rt_infer.server.door import Server

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


class Pages:
    """The pages of one server; called by connections' threads."""

    def __init__(self, server: Server) -> None:
        self._server = server
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
        server = self._server
        lines = [
            f"rt-infer {__version__}, up for {time.monotonic() - self._started_s:.0f} s",
            f"robots: {server.robots()}",
        ]
        for host in server.workers.hosts():
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
        preload = self._server.preload
        ready, line = (True, "ready") if preload is None else preload.state()
        return Page("200 OK" if ready else "503 Service Unavailable", line + "\n")

    def metrics(self) -> Page:
        """For Prometheus."""
        server = self._server
        hosts = server.workers.hosts()
        gauges = {
            "connections": server.connections(),
            "robots": server.robots(),
            "workers": len(hosts),
            "workers_ready": sum(host.state is State.READY for host in hosts),
        }
        return Page("200 OK", server.metrics.render(gauges), PROMETHEUS)
