"""Where texts end, against transformers' own stopping criterion and by example."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import StopStringCriteria

from playground.engine.fake.codec import EOS_ID, FakeCodec
from playground.engine.text.codec import HfTextCodec
from playground.errors import BadInput
from playground.generation import GenerationRequest
from playground.generation.stopping import Ending, StopWatch
from tests.engine.small import byte_level_tokenizer, small_info

CODEC = FakeCodec()


def run(watch: StopWatch, tokens: Iterable[int]) -> tuple[int, Ending] | None:
    """How many tokens it took, and the ending."""
    for count, token in enumerate(tokens, start=1):
        ending = watch.feed(token)
        if ending is not None:
            return count, ending
    return None


def watch_for(*stops: str, generated: str = "", **fields: Any) -> StopWatch:
    request = GenerationRequest(
        prompt_ids=CODEC.encode("a prompt with STOP in it"),
        stop_strings=stops,
        generated_ids=CODEC.encode(generated),
        **{"max_new_tokens": 1000, **fields},
    )
    return StopWatch(request, CODEC)


def ended(watch: StopWatch, text: str) -> tuple[str, str, str | None]:
    stop_point = run(watch, CODEC.encode(text))
    assert stop_point is not None
    return (*watch.split(stop_point[1]), stop_point[1].stopped_by)


@pytest.mark.parametrize(
    ("stops", "text", "shown", "hidden"),
    [
        (("STOP",), "go STOP", "go ", "STOP"),
        (("O",), "hello world", "", None),
        (("d x",), "go world x", "go worl", "d x"),
        ((" w",), "hello world", "hello", " world"),
        (("llo",), "hello world", "he", "llo"),
        (("aa",), "baaa", "b", "aa"),
        (("STOP", "go STOP"), "go STOP", "", "go STOP"),
        (("😀",), "ha 😀", "ha ", "😀"),
        (("é",), "caf\u00e9", "caf", "é"),
        ((".*",), "a.b.*", "a.b", ".*"),
        (("\n\n",), "end\n\n", "end", "\n\n"),
        (("x",), "x", "", "x"),
    ],
)
def test_stop_strings_that_span_and_overhang_tokens(
    stops: tuple[str, ...], text: str, shown: str, hidden: str | None
) -> None:
    watch = watch_for(*stops)
    if hidden is None:
        assert run(watch, CODEC.encode(text)) is None
    else:
        assert ended(watch, text)[:2] == (shown, hidden)


def test_the_stop_string_that_starts_first_ends_the_text() -> None:
    assert ended(watch_for("llo", "el"), "hello") == ("h", "ello", "el")
    assert ended(watch_for("el", "ello"), "hello") == ("h", "ello", "ello")


def test_a_stop_string_in_the_prompt_or_before_the_branch_stops_nothing() -> None:
    assert run(watch_for("STOP"), CODEC.encode("go on")) is None
    assert run(watch_for("STOP", generated="a STOP b"), CODEC.encode("go on")) is None


def test_a_stop_string_may_begin_in_text_generated_before_the_branch() -> None:
    watch = watch_for("STOP", generated="go ST")
    assert ended(watch, "OPx") == ("", "OP", "STOP")


def test_one_that_the_earlier_text_ends_with_hides_none_that_comes_now() -> None:
    assert ended(watch_for("x", "a longer one", generated="go x"), "yx") == ("y", "x", "x")


def test_end_tokens_stop_ids_and_the_limit() -> None:
    text = CODEC.encode("ab")
    assert run(watch_for(), (*text, EOS_ID)) == (3, Ending("eos", 2, "<|im_end|>"))
    assert run(watch_for(ignore_eos=True), (*text, EOS_ID)) is None
    assert run(watch_for(stop_ids=(98,)), text) == (2, Ending("stop_id", 1, "98"))
    assert run(watch_for(max_new_tokens=2), text) == (2, Ending("length", 2))
    assert run(watch_for("b", max_new_tokens=2), text) == (2, Ending("stop", 1, "b"))
    spelt = watch_for("<|im_end|>", ignore_eos=True)
    stop_point = run(spelt, (*text, EOS_ID))  # a special token can be stopped at by its spelling
    assert stop_point is not None and spelt.split(stop_point[1]) == ("ab", "<|im_end|>")


@given(
    st.text(alphabet="ab ST\né😀", max_size=30),
    st.lists(st.text(alphabet="ab ST\né", min_size=1, max_size=4), max_size=3),
)
def test_shown_and_hidden_make_up_the_text_and_the_shown_part_holds_no_stop_string(text: str, stops: list[str]) -> None:
    watch, ids = watch_for(*stops), CODEC.encode(text)
    stop_point = run(watch, ids)
    if stop_point is None:
        assert not any(stop in text for stop in stops)
        return
    count, ending = stop_point
    shown, hidden = watch.split(ending)
    assert (shown + hidden).encode("utf-8", "replace") == CODEC.decode(ids[:count]).encode()
    assert not any(stop in shown for stop in stops)
    assert hidden.startswith(str(ending.stopped_by))


def test_it_agrees_with_transformers_on_strings_that_overhang_tokens() -> None:
    tokenizer = byte_level_tokenizer()
    codec = HfTextCodec(tokenizer, small_info())
    rng = random.Random(0)
    ordinary = [i for i in range(len(tokenizer)) if not codec.is_special(i) and codec.token_bytes(i).isascii()]
    letters = [i for i in ordinary if set(codec.token_bytes(i)) <= set(b"thel o")]
    stopped = 0
    for _ in range(150):
        stops = tuple({"".join(rng.choice("thel o") for _ in range(rng.randint(1, 4))) for _ in range(2)})
        tokens = [rng.choice(letters) for _ in range(25)]
        criterion = StopStringCriteria(tokenizer, list(stops))
        watch = StopWatch(GenerationRequest(prompt_ids=(0,), stop_strings=stops, max_new_tokens=1000), codec)
        for count, token in enumerate(tokens, start=1):
            theirs = bool(criterion(torch.tensor([tokens[:count]]), None)[0])
            ours = watch.feed(token)
            assert (ours is not None) == theirs, (stops, [codec.token_bytes(t) for t in tokens[:count]])
            if theirs:
                stopped += 1
                break
    assert stopped > 50


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"stop_strings": ("",)}, "stop"),
        ({"stop_strings": ("x" * 201,)}, "stop"),
        ({"stop_strings": tuple("abcdefghijklmnopq")}, "stop"),
        ({"stop_strings": ("\ud83d",)}, "stop"),
        ({"stop_ids": (-1,)}, "stop_ids"),
        ({"max_new_tokens": 0}, "max_new_tokens"),
        ({"max_new_tokens": -3}, "max_new_tokens"),
        ({"max_new_tokens": 2.0}, "max_new_tokens"),
        ({"max_new_tokens": True}, "max_new_tokens"),
        ({"seed": -1}, "seed"),
        ({"top": 201}, "top"),
        ({"random_stream": -1}, "random_stream"),
    ],
)
def test_a_request_that_makes_no_sense_names_its_field(fields: dict[str, Any], name: str) -> None:
    with pytest.raises(BadInput, match=f"^{name}: ") as caught:
        GenerationRequest(prompt_ids=(1,), **fields)
    assert caught.value.field == name
