"""What a server is told before it starts, and what it refuses to be told."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass, field
from pathlib import Path


class OptionsError(ValueError):
    """The server will not start like this; the text is one sentence that says what to do."""


@dataclass(kw_only=True)
class ServerOptions:
    """Names and defaults are those of the flags of `rt-infer server`.

    host, port: where to listen; port 0 takes a free one. unix: also listen on this socket path.
    token_file: a file whose first line every robot must prove to know. token: the same, given
    directly. insecure: listen beyond this machine without encryption; needs a token.
    policy_type, pretrained_name_or_path, policy_device: load this policy at the start; "" loads
    none before a robot asks. allow_python: `module:factory` names that robots may ask for.
    max_connections, max_workers: more are refused. handshake_s: for a whole AUTH to arrive.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    unix: str = ""
    token: str = field(default="", repr=False)
    token_file: str = ""
    insecure: bool = False
    policy_type: str = ""
    pretrained_name_or_path: str = ""
    policy_device: str = "cpu"
    allow_python: list[str] = field(default_factory=list)
    max_connections: int = 64
    max_workers: int = 8
    handshake_s: float = 10.0

    def read_token(self) -> str:
        """The token, "" if none is wanted; OptionsError if the file has none."""
        if not self.token_file:
            return self.token
        try:
            lines = Path(self.token_file).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise OptionsError(
                f"The token file {self.token_file} could not be read ({error}); "
                "give --token_file a text file whose first line is the token."
            ) from None
        token = lines[0].strip() if lines else ""
        if not token:
            raise OptionsError(f"The first line of {self.token_file} is empty; put a token there.")
        return token

    def check_exposure(self, token: str) -> None:
        """OptionsError if other machines could reach a server that is not meant to be reached."""
        if is_loopback(self.host) or (token and self.insecure):
            return
        raise OptionsError(
            f"Listening on {self.host} lets other machines in and nothing encrypts the way: listen "
            "on 127.0.0.1 and reach it through an SSH tunnel, or give --token_file together with "
            "--insecure."
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`; a name must mean loopback addresses only."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        return False
    addresses = {str(entry[4][0]).partition("%")[0] for entry in found}
    return bool(host) and all(ipaddress.ip_address(address).is_loopback for address in addresses)
