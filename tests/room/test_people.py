"""Nicknames: any script, nothing unseen, two that look the same are one."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import BadInput
from playground.room.people import MOST_LETTERS, NicknameTaken, choose_nickname, nickname_key, numbered, read_nickname


@pytest.mark.parametrize(
    "name",
    [
        "Ada",
        "Zoë",
        "山田 太郎",
        "Мария",
        "محمد",
        "می‌خواهم",
        "👩‍👩‍👧‍👧",
        "हिन्दी",
        "<b>x</b>",
        "'; DROP TABLE members",
        "a" * MOST_LETTERS,
    ],
)
def test_any_script_is_a_nickname(name: str) -> None:
    assert read_nickname(f"  {name} ") == name


@pytest.mark.parametrize(
    "name",
    [
        "a" * (MOST_LETTERS + 1),
        "x" * 10_000,
        "Z" + "\u0301" * 200,
        "a\u202eb",
        "a\u2066b",
        "a\x00b",
        "a\nb",
        "a\u200bb",
        "\ud800",
        "\ue000",
        "\u0378",
        "\u3164",
        "\u200d",
        "\u0301",
        "\u2800",
    ],
)
def test_what_cannot_be_seen_or_is_too_long_is_refused_in_one_sentence(name: str) -> None:
    with pytest.raises(BadInput, match=r"^[^.]*: [^.]*\.$") as refused:
        read_nickname(name)
    assert refused.value.field == "nickname"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada", "aDA"),
        ("Ada", "ＡＤＡ"),
        ("Straße", "STRASSE"),
        ("Ada L", "adal"),
        ("ﬁn", "FIN"),
        ("Zoe\u0308", "Zoë"),
        ("a\u200dda", "Ada"),
        ("ada\ufe0f", "Ada"),
        ("a\u034fda", "Ada"),
        ("①", "1"),
    ],
)
def test_look_alikes_are_one_nickname(one: str, other: str) -> None:
    assert nickname_key(one) == nickname_key(other)


def test_anothers_is_refused_with_one_that_is_free() -> None:
    taken = {nickname_key("Ada"), nickname_key("Ada 2")}
    with pytest.raises(NicknameTaken, match="take ada 3") as refused:
        choose_nickname("ada ", taken)
    assert choose_nickname(refused.value.suggestion, taken) == "ada 3"


def test_nobody_but_the_leader_is_called_that() -> None:
    for name in ("Leader", "the LEADER", "ｌｅａｄｅｒ"):
        with pytest.raises(BadInput, match="leads the room"):
            choose_nickname(name, ())


def test_who_gives_none_gets_one_of_their_own() -> None:
    taken: set[str] = set()
    chance = random.Random(0)
    for _ in range(2_000):  # more than there are pairs of words
        name = choose_nickname("  ", taken, chance)
        assert read_nickname(name) == name and nickname_key(name) not in taken
        taken.add(nickname_key(name))


@given(st.text(max_size=60), st.sets(st.sampled_from(["a", "a2", "a3", "leader", ""])))
def test_whatever_is_typed_is_refused_or_free_and_bounded(typed: str, taken: set[str]) -> None:
    try:
        name = choose_nickname(typed, taken)
    except BadInput:
        return
    assert nickname_key(name) and nickname_key(name) not in taken and len(name) <= 96
    assert read_nickname(name) == name
    assert read_nickname(numbered(name, {nickname_key(name)})) != name
