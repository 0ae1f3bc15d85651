"""An address is read in one way, what is none is refused without repeating a secret, and who may ask whom."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import BadInput, ModelRefused
from playground.models.address import (
    KEY_VARIABLE,
    SERVERS_VARIABLE,
    ServerAccess,
    ServerAddress,
    checked_key,
    is_address,
    key_for,
    parse_address,
)
from playground.models.catalogue import resolve
from playground.models.naming import normal_names

KEY = "sk-secret"
ACCESS = ServerAccess(KEY)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("http://box:8080/v1", "http://box:8080/v1"),
        ("HTTP://Box:8080/v1/", "http://box:8080/v1"),
        ("http://box", "http://box/v1"),
        ("http://box:80/", "http://box/v1"),
        ("https://api.example.com:443/proxy/v1#org/Name-1", "https://api.example.com/proxy/v1#org/Name-1"),
        ("http://[::1]:8080", "http://[::1]:8080/v1"),
        ("http://127.0.0.1:1234/v1# a b ", "http://127.0.0.1:1234/v1#a b"),
        ("http://box./v1", "http://box/v1"),
    ],
)
def test_an_address_has_one_form(given: str, text: str) -> None:
    address = parse_address(given)
    assert address.text == text and parse_address(text) == address
    assert resolve(given).kind == "server" and resolve(given).id == text
    assert normal_names(given, "cuda", "bfloat16") == (text, None, None)


def test_the_parts_of_an_address() -> None:
    address = parse_address("http://box:8080/a/v1#m")
    assert address == ServerAddress("http", "box", 8080, "/a/v1", "m")
    assert (address.base, address.root) == ("http://box:8080/a/v1", "http://box:8080/a")


@pytest.mark.parametrize(
    "given",
    [
        "http://",
        "http:///v1",
        "http://box:99999/v1",
        "http://box:0/v1",
        "http://box:x/v1",
        "http://box/v1?key=1",
        "http://box/v1?",
        "http://box/../etc",
        "http://box/%2e%2e/",
        "http://box/a b",
        "http://bo x/v1",
        "http://box\n/v1",
        "http://böx/v1",
        "http://[::1/v1",
        "http://[zz]/v1",
        "http://-box/v1",
        "http://a..b/v1",
        "http://box/v1#" + "n" * 300,
        "ftp://box/v1",
    ],
)
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(BadInput):
        parse_address(given)


@pytest.mark.parametrize("given", ["http://me:hunter2@box/v1", "http://hunter2@box/v1", "http://me:hunter2@bo x/v1"])
def test_a_password_in_an_address_is_refused_and_not_repeated(given: str) -> None:
    with pytest.raises(BadInput) as refused:
        resolve(given)
    assert "hunter2" not in str(refused.value) and KEY_VARIABLE in str(refused.value)


@given(st.text(max_size=60))
def test_no_text_ends_in_a_traceback(rest: str) -> None:
    try:
        address = parse_address("http://" + rest)
    except BadInput:
        return
    assert is_address(address.text) and parse_address(address.text) == address


@pytest.mark.parametrize("page", ["https://huggingface.co/gpt2", "http://www.huggingface.co", "https://hf.co/org/name"])
def test_a_page_of_the_hub_is_no_server(page: str) -> None:
    with pytest.raises(BadInput, match="give only the org/name part"):
        resolve(page)


# -- who may ask whom ------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def no_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SERVERS_VARIABLE, raising=False)


@pytest.mark.parametrize(
    "own", ["http://127.0.0.1:1/v1", "http://localhost:1/v1", "http://[::1]:1/v1", "http://127.9.9.9"]
)
def test_without_a_list_a_visitor_may_name_this_machine_which_is_shown_no_key(own: str) -> None:
    assert key_for(parse_address(own), ACCESS, default=None) is None


@pytest.mark.parametrize(
    "foreign",
    [
        "http://box:1/v1",
        "http://169.254.169.254/latest",
        "http://localhost.example.com/v1",
        "http://127.0.0.1.example.com/v1",
        "http://2130706433/v1",
        "http://0x7f.1/v1",
        "http://0.0.0.0/v1",
        "http://[::ffff:127.0.0.1]/v1",
    ],
)
def test_without_a_list_no_other_address_is_asked(foreign: str) -> None:
    with pytest.raises(ModelRefused, match="PLAYGROUND_SERVERS"):
        key_for(parse_address(foreign), ACCESS, default=None)


def test_the_environments_model_may_be_asked_and_gets_the_key() -> None:
    address = parse_address("https://box/v1#b")
    assert key_for(address, ACCESS, default="https://box/v1#a") == KEY
    with pytest.raises(ModelRefused):
        key_for(parse_address("https://box/other/v1"), ACCESS, default="https://box/v1")
    with pytest.raises(ModelRefused):
        key_for(parse_address("http://box/v1"), ACCESS, default="https://box/v1")


def test_a_list_is_all_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SERVERS_VARIABLE, "http://box:8080, https://other/v1")
    assert key_for(parse_address("http://BOX:8080/v1#any"), ACCESS, default=None) == KEY
    for refused in ("http://box:8081/v1", "http://127.0.0.1:8080/v1"):
        with pytest.raises(ModelRefused):
            key_for(parse_address(refused), ACCESS, default=None)
    monkeypatch.setenv(SERVERS_VARIABLE, "")
    with pytest.raises(ModelRefused):
        key_for(parse_address("http://localhost/v1"), ACCESS, default=None)


def test_the_command_line_may_name_any() -> None:
    assert key_for(parse_address("http://box/v1"), ServerAccess(KEY, anywhere=True), default=None) == KEY


@pytest.mark.parametrize("key", ["a\nb", "a\r\nX-Other: 1", "q7 z9", "schlüssel", "\x00"])
def test_a_key_that_cannot_stand_in_a_header_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(BadInput) as refused:
        checked_key(key)
    assert key not in str(refused.value)
    assert KEY not in repr(ACCESS)
