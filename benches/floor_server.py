"""The floor's other process: as little as a Python server can do for a request of known length.

    python floor_server.py REQUEST_BYTES REPLY_BYTES

Prints its port, takes one connection, and answers every REQUEST_BYTES with REPLY_BYTES until it
ends.
"""

from __future__ import annotations

import socket
import sys


def main(request_bytes: int, reply_bytes: int) -> None:
    """Plain blocking socket, memory made once, one recv_into and one send an exchange."""
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    peer, _ = listener.accept()
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    request, reply = memoryview(bytearray(request_bytes)), bytes(reply_bytes)
    while receive(peer, request):
        peer.sendall(reply)


def receive(peer: socket.socket, view: memoryview) -> bool:
    """Fill `view`; False at the end of the stream."""
    filled = 0
    while filled < len(view):
        count = peer.recv_into(view[filled:], 0, socket.MSG_WAITALL)
        if count == 0:
            return False
        filled += count
    return True


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
