"""Where a server is: what users type as --server_address, read into one value.

| typed | road |
|---|---|
| `host:port`, `tcp://host:port`, `[::1]:8080` | TCP |
| `unix:///path` | the server's Unix socket |
| `auto` | TCP to 127.0.0.1:8080 |
| `shm://`, `tls://`, `ssh://` | known, not built yet: refused with what to use instead |
"""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_PORT = 8080


class AddressError(ValueError):
    """An address that cannot be used; its text says what to type instead."""


@dataclass(frozen=True)
class Address:
    """One server. `scheme` is "tcp" (host and port hold) or "unix" (path holds)."""

    scheme: str
    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        if self.scheme == "unix":
            return f"unix://{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


_NOT_BUILT = {
    "shm": "use unix:///path for the same server; pixels then travel through the socket",
    "tls": "open an SSH tunnel and use 127.0.0.1:<local port>",
    "ssh": "open the tunnel yourself (ssh -f -N -L 18080:127.0.0.1:8080 user@host) and use "
    "127.0.0.1:18080",
}


def parse_address(text: str) -> Address:
    """Read what a user typed; AddressError with one sentence when it is no address."""
    text = text.strip()
    if text == "auto":
        return Address("tcp", "127.0.0.1", DEFAULT_PORT)
    scheme, separator, rest = text.partition("://")
    if not separator:
        return _parse_tcp(text, text)
    if scheme == "tcp":
        return _parse_tcp(rest, text)
    if scheme == "unix":
        return _parse_unix(rest, text)
    if scheme in _NOT_BUILT:
        raise AddressError(f"{scheme}:// is not built into this version: {_NOT_BUILT[scheme]}.")
    raise AddressError(
        f"{text!r} starts with an unknown scheme: give host:port, such as 127.0.0.1:8080, or "
        "unix:///path."
    )


def _parse_tcp(rest: str, text: str) -> Address:
    host, separator, port_text = rest.rpartition(":")
    if not separator or not host:
        raise AddressError(
            f"{text!r} lacks a host or a port: give host:port, such as 127.0.0.1:{DEFAULT_PORT}."
        )
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise AddressError(
            f"{text!r} has several colons: put an IPv6 address into brackets, such "
            f"as [::1]:{DEFAULT_PORT}."
        )
    if "/" in host or "@" in host or not host:
        raise AddressError(f"{text!r} is no host:port: give such as 127.0.0.1:{DEFAULT_PORT}.")
    if not (port_text.isascii() and port_text.isdigit() and 1 <= int(port_text[:6]) <= 65535):
        raise AddressError(f"{port_text!r} in {text!r} is no port: give a number from 1 to 65535.")
    return Address("tcp", host, int(port_text))


def _parse_unix(rest: str, text: str) -> Address:
    if not rest.startswith("/") or "\0" in rest:
        raise AddressError(f"{text!r} has no absolute path: give unix:///path, with three slashes.")
    if len(rest.encode()) > 107:
        raise AddressError(
            f"The path in {text!r} is longer than the 107 bytes a Unix socket's name "
            "may have: choose a shorter one."
        )
    return Address("unix", path=rest)
