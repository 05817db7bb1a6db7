"""rt-infer: the realtime runtime between a learned robot policy and a robot arm.

``import rt_infer`` loads nothing but this file. The public names are looked up when they are first
used, so that each process pays only for its own part: the robot side and the door never see torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rt_infer.wire.client import Client as Client
    from rt_infer.wire.links import ConnectFailed as ConnectFailed
    from rt_infer.wire.links import LinkLost as LinkLost
    from rt_infer.wire.messages import ObservationSpec as ObservationSpec
    from rt_infer.wire.refusals import RemoteError as RemoteError

__version__ = "0.1.0"
__all__ = [
    "Client",
    "ConnectFailed",
    "LinkLost",
    "ObservationSpec",
    "RemoteError",
    "__version__",
]

_HOME_OF = {
    "Client": "rt_infer.wire.client",
    "ConnectFailed": "rt_infer.wire.links",
    "LinkLost": "rt_infer.wire.links",
    "ObservationSpec": "rt_infer.wire.messages",
    "RemoteError": "rt_infer.wire.refusals",
}


def __getattr__(name: str) -> object:
    """Import a public name from its room on first use; later uses find it here (PEP 562)."""
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
