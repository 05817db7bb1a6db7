"""What a server's connections and pages have in common; made by the door before anyone comes."""

from __future__ import annotations

from dataclasses import dataclass

from rt_infer.server.guests import Guests
from rt_infer.server.metrics import Metrics
from rt_infer.server.options import ServerOptions
from rt_infer.server.preload import Preload
from rt_infer.server.workers import Workers


@dataclass(frozen=True)
class Shared:
    """Any thread may use any part. preload: None if no policy was named at the start."""

    options: ServerOptions
    token: str
    metrics: Metrics
    workers: Workers
    guests: Guests
    preload: Preload | None
