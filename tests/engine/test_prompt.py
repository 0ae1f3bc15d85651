"""From text to ids: the page, the commands and best-of-N against each other and against transformers' own calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from playground.cli import build_parser, options
from playground.engine.api import TextCodec
from playground.engine.fake.codec import FakeCodec
from playground.engine.text.codec import HfTextCodec
from playground.engine.text.prompt import continuation_ids, encode_prompt
from playground.engine.types import TokenIds
from playground.errors import BadPrompt, PlaygroundError
from playground.state.setup import Setup
from playground.testtime.request import BestOfNRequest, encode_request
from playground.ui.workspace.reading import encode_setup
from tests.engine.small import byte_level_tokenizer, metaspace_tokenizer, small_info
from tests.engine.test_codec import CHATML


@dataclass(frozen=True, slots=True)
class Typed:
    """What a person typed and switched on."""

    text: str
    chat: bool = False
    system: str = ""
    parse_special: bool = False


ALL = {
    "plain": Typed("the hello"),
    "spaces": Typed("  the hello\n"),
    "no text": Typed(""),
    "one space": Typed(" "),
    "an emoji": Typed("😀 the"),
    "half a character": Typed("the \ud83d"),
    "a byte that is no text": Typed("the \udcff"),
    "a spelt special": Typed("a<|im_end|>b"),
    "a special": Typed("a<|im_end|>b", parse_special=True),
    "only a special": Typed("<|im_end|>", parse_special=True),
    "chat": Typed("the hello", chat=True),
    "chat with a system prompt": Typed("the hello", chat=True, system="Be brief."),
    "chat with specials": Typed("a<|im_end|>b", chat=True, system="x", parse_special=True),
    "chat with spelt specials": Typed("a<|im_end|>b", chat=True, system="<|im_start|>"),
    "an empty message": Typed("", chat=True),
    "an empty message with a system prompt": Typed("", chat=True, system="Be brief."),
    "a message of spaces": Typed(" \n", chat=True),
    "half a character in the system prompt": Typed("the", chat=True, system="\udc00"),
}
CODECS = {
    "fake": lambda: FakeCodec(),
    "bytes": lambda: HfTextCodec(byte_level_tokenizer(chat_template=CHATML), small_info()),
    "no template": lambda: HfTextCodec(byte_level_tokenizer(), small_info()),
    "a start token": lambda: HfTextCodec(metaspace_tokenizer(), small_info()),
}


def by_page(codec: TextCodec, typed: Typed) -> TokenIds:
    return encode_setup(
        codec, Setup(prompt=typed.text, chat=typed.chat, system=typed.system, parse_special=typed.parse_special)
    )


def by_command(codec: TextCodec, typed: Typed) -> TokenIds:
    words = ["next", f"--prompt={typed.text}", *(["--chat"] if typed.chat else [])]
    words += [f"--system={typed.system}"] if typed.chat else []
    words += ["--parse-special"] if typed.parse_special else []
    return options.encode_arguments(codec, build_parser("next").parse_args(words))


def by_whole_text(codec: TextCodec, typed: Typed) -> TokenIds:
    words = ["attend", f"--text={typed.text}", *(["--chat"] if typed.chat else [])]
    words += [f"--system={typed.system}"] if typed.chat else []
    words += ["--parse-special"] if typed.parse_special else []
    return options.encode_whole_text(codec, build_parser("attend").parse_args(words), typed.text)


def by_best_of_n(codec: TextCodec, typed: Typed) -> TokenIds:
    request = BestOfNRequest(typed.text, typed.chat, typed.system, typed.parse_special)
    return encode_request(codec, request, typed.system)


def result_of(call: Callable[[TextCodec, Typed], TokenIds], codec: TextCodec, typed: Typed) -> TokenIds | str:
    try:
        return call(codec, typed)
    except PlaygroundError as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("make", CODECS.values(), ids=CODECS.keys())
@pytest.mark.parametrize("typed", ALL.values(), ids=ALL.keys())
def test_page_command_and_best_of_n_read_the_same(make: Callable[[], TextCodec], typed: Typed) -> None:
    codec = make()
    calls = (by_page, by_command, by_whole_text, by_best_of_n)
    readings = {result_of(call, codec, typed) for call in calls}
    assert len(readings) == 1, readings
    assert readings.pop(), "no ids and no refusal"


def test_raw_text_and_chat_are_what_transformers_makes_of_them() -> None:
    plain: Any = metaspace_tokenizer()
    assert encode_prompt(HfTextCodec(plain, small_info()), "hello world") == tuple(plain("hello world")["input_ids"])
    chats: Any = byte_level_tokenizer(chat_template=CHATML)
    codec = HfTextCodec(chats, small_info())
    for system in ("", "Be brief."):
        messages = [{"role": "system", "content": system}] if system else []
        messages.append({"role": "user", "content": "the hello"})
        expected = chats.apply_chat_template(messages, add_generation_prompt=True, tokenize=True)["input_ids"]
        assert encode_prompt(codec, "the hello", chat=True, system=system) == tuple(expected)


def test_no_text_is_the_start_token_and_a_refusal_without_one() -> None:
    assert encode_prompt(HfTextCodec(metaspace_tokenizer(), small_info()), "") == (1,)
    with pytest.raises(BadPrompt, match="prompt is empty: type"):
        encode_prompt(HfTextCodec(byte_level_tokenizer(), small_info()), "")


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
def test_an_empty_message_is_refused(text: str) -> None:
    with pytest.raises(BadPrompt, match="message is empty: type"):
        encode_prompt(FakeCodec(), text, chat=True)


def test_a_system_prompt_counts_in_a_chat_only() -> None:
    """The page keeps it while the chat is switched off."""
    assert encode_prompt(FakeCodec(), "hi", system="Be brief.") == FakeCodec().encode("hi")


def test_a_continuation_has_no_start_token(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = FakeCodec()
    encode = FakeCodec.encode
    assert continuation_ids(plain, "hello") == encode(plain, "hello")
    monkeypatch.setattr(
        FakeCodec, "encode", lambda self, text, parse_special=False: (*self.start_ids, *encode(self, text))
    )
    assert continuation_ids(plain, "hello") == encode(plain, "hello")


def test_a_continuation_has_its_own_space_and_no_other() -> None:
    """SentencePiece puts a space before every text: alone, " hello" would be two tokens and "hello" the one with a space."""
    codec = HfTextCodec(metaspace_tokenizer(), small_info())
    with_space, without = codec.encode("hello")[-1:], continuation_ids(codec, "hello")
    assert continuation_ids(codec, " hello") == with_space
    assert without != with_space and b"".join(map(codec.token_bytes, without)) == b"hello"
    assert b"".join(map(codec.token_bytes, continuation_ids(codec, "\n"))) == b"\n"
