"""One engine of every kind, small, for the tests that hold them all to the same promises."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from unittest import mock

from playground.engine.api import Engine
from playground.engine.factory import make_engine
from playground.engine.fake.engine import FakeEngine
from playground.engine.fake.served import ServedFakeEngine
from playground.engine.hf.engine import TransformersEngine
from playground.engine.remote.http import ServerClient
from playground.engine.remote.openai_connect import connect_completions
from playground.engine.serving.caching import CachedEngine
from playground.engine.text.codec import HfTextCodec
from playground.generation.streaming import stream_rows
from playground.models.address import parse_address
from playground.models.loading import LoadedModel
from playground.models.tokenizers import TOKENIZER_VARIABLE
from tests.engine.remote.chat_standin import Chats
from tests.engine.remote.completions_standin import Completions
from tests.engine.remote.sglang_standin import Sglang
from tests.engine.remote.standin import running
from tests.engine.small import byte_level_tokenizer, small_info, small_loaded

Opened = Callable[[str], AbstractContextManager[Engine]]


def standin(owned_by: str, kind: type[Completions] = Completions, **fields: object) -> Completions:
    """A server with OpenAI's completions and texts of its own model."""
    tokenizer = byte_level_tokenizer()
    codec = HfTextCodec(tokenizer, small_info(vocab_size=len(tokenizer), eos_token_ids=()))
    return kind(codec, len(tokenizer), **{"owned_by": owned_by, "text": "", "finish": None, **fields})  # type: ignore[arg-type]


@contextmanager
def named_tokenizer(spec: str) -> Iterator[None]:
    with mock.patch.dict(os.environ, {TOKENIZER_VARIABLE: spec}):
        yield


@contextmanager
def served(owned_by: str, kind: type[Completions] = Completions, **fields: object) -> Iterator[Engine]:
    with tempfile.TemporaryDirectory() as folder, running(standin(owned_by, kind, **fields).routes()) as server:
        byte_level_tokenizer().save_pretrained(Path(folder))
        with named_tokenizer(folder):
            engine = make_engine(server.base)
        with closing(engine):
            yield engine


@contextmanager
def _completions_of_llama(base: str) -> Iterator[Engine]:
    with named_tokenizer("smollm2-135m-instruct"):
        engine = connect_completions(ServerClient(parse_address(base)), lambda what, fraction: None)
    with closing(engine):
        yield engine


def _small(kind: str) -> LoadedModel:
    return small_loaded(kind, has_chat_template=False, eos_token_ids=())


# name: how it is opened; the argument is the address of llama.cpp's own server
ENGINES: dict[str, Opened] = {
    "transformers": lambda base: closing(TransformersEngine(_small("llama"), streamer=stream_rows)),
    "transformers without attention": lambda base: closing(TransformersEngine(_small("mamba"))),
    "fake": lambda base: closing(FakeEngine(streamer=stream_rows)),
    "fake top k": lambda base: closing(ServedFakeEngine()),
    "cached fake top k": lambda base: closing(CachedEngine(ServedFakeEngine())),
    "llama.cpp": lambda base: closing(make_engine(base)),
    "llama.cpp by OpenAI's interface": _completions_of_llama,
    "vLLM's stand-in": lambda base: served("vllm"),
    "vLLM's stand-in with whole rows": lambda base: served("vllm", most=10**6),
    "SGLang's stand-in": lambda base: served("sglang", Sglang),
    "OpenAI's stand-in": lambda base: served("somebody"),
    "a chat server's stand-in": lambda base: served("somebody", Chats),
}
