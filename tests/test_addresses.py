"""What users may type as an address."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rt_infer.wire.addresses import Address, AddressError, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8080", Address("tcp", "127.0.0.1", 8080)),
        (" gpu-box:1 ", Address("tcp", "gpu-box", 1)),
        ("tcp://gpu.example:65535", Address("tcp", "gpu.example", 65535)),
        ("[::1]:8080", Address("tcp", "::1", 8080)),
        ("unix:///run/rt-infer.sock", Address("unix", path="/run/rt-infer.sock")),
        ("auto", Address("tcp", "127.0.0.1", 8080)),
    ],
)
def test_an_address_is_read_as_it_is_typed(text: str, address: Address) -> None:
    assert parse_address(text) == address
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "host:port"),
        ("gpu-box", "host:port"),
        (":8080", "lacks a host"),
        ("gpu-box:", "no port"),
        ("gpu-box:http", "no port"),
        ("gpu-box:0", "no port"),
        ("gpu-box:65536", "no port"),
        ("gpu-box:99999999999999999999", "no port"),
        ("gpu-box:８０", "no port"),
        ("::1:8080", "brackets"),
        ("root@gpu-box:8080", "host:port"),
        ("http://gpu-box:8080", "unknown scheme"),
        ("unix://relative", "three slashes"),
        ("unix:///" + "x" * 107, "107 bytes"),
    ],
)
def test_what_is_no_address_says_what_to_type(text: str, said: str) -> None:
    with pytest.raises(AddressError, match=said):
        parse_address(text)


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("shm:///run/rt-infer.sock", "unix:///path"),
        ("tls://gpu-box:8443", "SSH tunnel"),
        ("ssh://root@gpu-box:2222/127.0.0.1:8080", "ssh -f -N -L"),
    ],
)
def test_a_road_that_is_not_built_yet_says_which_one_to_take(text: str, instead: str) -> None:
    with pytest.raises(AddressError, match="not built into this version") as caught:
        parse_address(text)
    assert instead in str(caught.value)


@given(st.text())
def test_any_text_is_an_address_or_an_address_error(text: str) -> None:
    try:
        address = parse_address(text)
    except AddressError:
        return
    assert address.scheme in ("tcp", "unix")
