"""The policy server: a door without a model, and a worker process for each policy.

From the outside: `ServerOptions`, and `Server` (start, stop) or `serve` (until a signal).
"""

from rt_infer.server.door import Server, serve
from rt_infer.server.options import OptionsError, ServerOptions

__all__ = ["OptionsError", "Server", "ServerOptions", "serve"]
