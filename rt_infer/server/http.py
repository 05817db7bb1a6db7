"""Plain HTTP on the server's port: for people with curl, for load balancers, for Prometheus.

One request, one small response, closed. Only GET and HEAD, only four paths, no headers are looked
at, nothing is changed. It runs on the connection's own thread and asks no worker anything, so it
answers while a model loads, hangs or crashes.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import NamedTuple

MAX_REQUEST_BYTES = 8192
REQUEST_S = 5.0
"""A request that is not complete by then is answered as far as it goes."""

METHODS = (b"GET ", b"HEAD")
OTHER_METHODS = (b"POST", b"PUT ", b"DELE", b"PATC", b"OPTI")
"""The first bytes of requests that are HTTP, and nothing for us."""


class Page(NamedTuple):
    """A response: status with its reason, text, and what kind of text."""

    status: str
    text: str
    content_type: str = "text/plain; charset=utf-8"


NOT_FOUND = Page("404 Not Found", "There are /, /healthz, /readyz and /metrics.\n")
NOT_ALLOWED = Page("405 Method Not Allowed", "There are pages to GET here, and nothing else.\n")
BAD_REQUEST = Page("400 Bad Request", "This is no HTTP request.\n")


def respond(connection: socket.socket, pages: dict[str, Callable[[], Page]]) -> None:
    """Read the request on `connection` and answer it.

    The first bytes, known to be a method's, are still to be read. OSError if the other side
    is gone or does not take the answer; the caller closes.
    """
    until_s = time.monotonic() + REQUEST_S
    request = b""
    while b"\r\n\r\n" not in request and b"\n\n" not in request:
        connection.settimeout(max(until_s - time.monotonic(), 1e-3))
        try:
            more = connection.recv(MAX_REQUEST_BYTES - len(request))
        except TimeoutError:
            break
        request += more
        if not more or len(request) >= MAX_REQUEST_BYTES or time.monotonic() > until_s:
            break
    words = request.partition(b"\n")[0].decode("latin-1").split()
    if len(words) != 3 or not words[2].startswith("HTTP/"):
        page = BAD_REQUEST
    elif words[0] not in ("GET", "HEAD"):
        page = NOT_ALLOWED
    else:
        make = pages.get(words[1].partition("?")[0])
        page = NOT_FOUND if make is None else make()
    body = page.text.encode()
    head = (
        f"HTTP/1.1 {page.status}\r\nAllow: GET, HEAD\r\nContent-Type: {page.content_type}\r\n"
        f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
    ).encode()
    connection.settimeout(REQUEST_S)
    connection.sendall(head if words[:1] == ["HEAD"] else head + body)
    connection.settimeout(None)
    connection.shutdown(socket.SHUT_WR)
