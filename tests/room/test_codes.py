"""Codes and secrets: read as they are typed, made of chance, and guessed at no great speed."""

from __future__ import annotations

import pytest

from playground.errors import LimitReached
from playground.room.codes import (
    ALPHABET,
    CODE_LENGTH,
    is_same,
    leader_secret,
    new_code,
    read_code,
    shown_code,
    wrong_codes,
)


def test_a_code_is_read_however_it_is_typed() -> None:
    for code in {new_code() for _ in range(50)}:
        for typed in (
            code,
            code.lower(),
            shown_code(code),
            f" {code[:2]}-{code[2:]} ",
            "".join(chr(ord(c) + 0xFEE0) for c in code),
        ):
            assert read_code(typed) == code
    for wrong in ("", "CDF34", "CDF3477", "CDF34O", "CDF34é", "١٢٣٤٥٦", "C" * 10_000, "CDF34\x00"):
        assert read_code(wrong) == ""


def test_no_two_letters_of_a_code_look_alike() -> None:
    for alike in ("0OQ", "1IL", "5S", "2Z", "8B", "UV", "GC"):
        assert len(set(alike) & set(ALPHABET)) <= 1
    assert not set("AEIOU") & set(ALPHABET), "no words"
    assert len(ALPHABET) ** CODE_LENGTH > 2**25
    assert len({new_code() for _ in range(500)}) > 490


def test_the_leaders_secret_is_the_same_after_a_restart_and_another_for_another_room() -> None:
    secrets = {leader_secret(server, room) for server in ("s" * 32, "t" * 32) for room in ("a", "b")}
    assert len(secrets) == 4 and all(len(secret) == 22 for secret in secrets)  # 128 bits, six a letter
    assert leader_secret("s" * 32, "a") == leader_secret("s" * 32, "a")
    secret = secrets.pop()
    assert is_same(secret, secret)
    assert not any(is_same(wrong, secret) for wrong in ("", secret[:-1], secret + "x", "é" * 22))
    assert not is_same("", "")


def test_who_is_wrong_too_often_waits_whoever_they_say_they_are() -> None:
    attempts = wrong_codes(of_visitor=3, of_address=10)
    for _ in range(3):
        attempts.check("mallory", "a")
        attempts.note("mallory", "a")
    with pytest.raises(LimitReached, match="wait a minute"):
        attempts.check("mallory", "b")
    attempts.check("anna", "a")
    for number in range(7):
        attempts.note(f"new cookie {number}", "a")
    with pytest.raises(LimitReached):
        attempts.check("newest cookie", "a")
    attempts.check("anna", "b")
