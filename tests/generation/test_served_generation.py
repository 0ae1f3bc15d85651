"""The page's way to a text on servers: llama.cpp's own with the bundled weights, and a stand-in for OpenAI's completions."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from playground.engine.api import Engine
from playground.engine.factory import make_engine
from playground.engine.serving.pool import open_worker
from playground.engine.serving.worker import Worker
from playground.generation import GenerationRequest
from playground.generation.running import RunningGeneration, start_generation
from playground.generation.tree import Branch, Tree
from playground.models.tokenizers import TOKENIZER_VARIABLE
from playground.sampling.settings import NEUTRAL, SamplerSettings
from tests.engine.remote.completions_standin import Completions
from tests.engine.remote.llama_server import llama_server
from tests.engine.remote.standin import running
from tests.engine.small import byte_level_tokenizer, small_info

GREEDY = NEUTRAL.replace(temperature=0.0)
PATIENCE_S = 60


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with llama_server(2) as address:
        yield address


@pytest.fixture(scope="module")
def worker(base: str) -> Iterator[Worker]:
    with serving(make_engine(base)) as server_worker:
        yield server_worker


@contextmanager
def serving(engine: Engine) -> Iterator[Worker]:
    with closing(open_worker(engine)) as server_worker:
        yield server_worker


def asked(worker: Worker, prompt: str, settings: SamplerSettings, **fields: Any) -> GenerationRequest:
    return GenerationRequest(worker.engine.codec.encode(prompt), settings, **{"max_new_tokens": 16, "top": 3, **fields})


def begin(worker: Worker, *requests: GenerationRequest) -> tuple[RunningGeneration, Tree]:
    tree = Tree()
    for request in requests:
        tree = tree.add(Branch(0, None, 0, (), request.settings, request.seed))
    return start_generation(worker, "s", requests, range(len(requests)), [()] * len(requests)), tree


def finish(worker: Worker, *requests: GenerationRequest) -> tuple[RunningGeneration, Tree]:
    run, tree = begin(worker, *requests)
    assert run.ticket.wait(PATIENCE_S)
    tree = run.drain(tree)
    assert run.problem is None, run.problem
    return run, tree


def own_text(base: str, ids: tuple[int, ...], count: int, **settings: object) -> str:
    """What the server itself answers, without any code of ours."""
    body = {"prompt": list(ids), "n_predict": count, "temperature": 0, **settings}
    url = base.removesuffix("/v1") + "/completion"
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as response:
        text: str = json.loads(response.read())["content"]
    return text


def shown(tree: Tree, branch: int) -> str:
    """The text of its tokens; the bytes of half a character are spelt out, and come again with its end."""
    return re.sub("(?:<0x[0-9A-F]{2}>)+", "", "".join(step.text or "" for step in tree.path(branch)))


@pytest.mark.model
@pytest.mark.parametrize("prompt", ["The capital of France is", "Smileys: 😀 😀 😀 😀", "def fibonacci(n):\n    "])
def test_a_greedy_text_is_the_servers_own_answer(worker: Worker, base: str, prompt: str) -> None:
    request = asked(worker, prompt, GREEDY)
    run, tree = finish(worker, request)
    assert run.generation is not None
    own = own_text(base, request.prompt_ids, 16).rstrip("\ufffd")  # half a character at the end
    assert run.generation.rows[0].text == shown(tree, 0) == own
    assert tree[0].ended == "length" and run.tokens_per_second > 0 and len(tree.path(0)) == 16


@pytest.mark.model
def test_rows_of_several_settings_run_side_by_side_and_each_is_the_one_it_is_alone(worker: Worker, base: str) -> None:
    """The slots' cache changes last digits, so what is compared is greedy or of few tokens."""
    prompts = ("The capital of France is", "Water boils at 100 degrees", "2 + 2 =")
    requests = [asked(worker, prompt, GREEDY, max_new_tokens=8) for prompt in prompts]
    _run, tree = finish(worker, *requests)
    for place, request in enumerate(requests):
        assert shown(tree, place) == own_text(base, request.prompt_ids, 8)
    warm = [asked(worker, prompts[0], NEUTRAL, seed=5, random_stream=row, max_new_tokens=6) for row in range(3)]
    _run, tree = finish(worker, *warm)
    assert len({shown(tree, row) for row in range(3)}) == 3, "each random stream is another text"
    assert shown(finish(worker, warm[2])[1], 0) == shown(tree, 2)


@pytest.mark.model
def test_going_on_after_a_token_of_the_text_gives_its_rest(worker: Worker, base: str) -> None:
    request = asked(worker, "The capital of France is", GREEDY)
    _run, tree = finish(worker, request)
    rest = asked(worker, "The capital of France is", GREEDY, max_new_tokens=8, generated_ids=tree.path_ids(0, 8))
    assert shown(finish(worker, rest)[1], 0) == own_text(base, request.prompt_ids + tree.path_ids(0, 8), 8)


@pytest.mark.model
def test_a_stop_string_and_the_end_of_a_turn(worker: Worker) -> None:
    _run, tree = finish(worker, asked(worker, "The capital of France is", GREEDY, stop_strings=("\n",)))
    assert (tree[0].ended, tree[0].stopped_by) == ("stop", "\n")
    ids = worker.engine.codec.encode_chat("What is the capital of France?")
    ids += worker.engine.codec.encode("The capital of France is Paris.")
    run, tree = finish(worker, GenerationRequest(ids, GREEDY, max_new_tokens=60))
    assert (tree[0].ended, tree[0].stopped_by, tree[0].hidden_text) == ("eos", "<|im_end|>", "<|im_end|>")
    assert run.generation is not None and "im_end" not in run.generation.rows[0].text


@pytest.mark.model
def test_stopping_keeps_what_has_come_and_frees_the_slots(worker: Worker, base: str) -> None:
    long = [asked(worker, "Once upon a time", GREEDY, max_new_tokens=900, ignore_eos=True) for _ in range(3)]
    run, tree = begin(worker, *long)
    deadline = time.monotonic() + PATIENCE_S
    while run.count < 3:
        assert time.monotonic() < deadline
        tree = run.drain(tree)
    run.stop()
    assert run.done and any(len(tree.path(branch)) for branch in range(3))
    while time.monotonic() < deadline:
        with urllib.request.urlopen(base.removesuffix("/v1") + "/slots") as response:
            if not any(slot["is_processing"] for slot in json.loads(response.read())):
                return
    pytest.fail("the server still works for nobody")


@pytest.mark.parametrize("owner", ["vllm", "library", "x"])
def test_a_text_of_a_server_with_openais_completions(
    owner: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path_factory.mktemp("tokenizer")
    tokenizer = byte_level_tokenizer()
    tokenizer.save_pretrained(place)
    monkeypatch.setenv(TOKENIZER_VARIABLE, str(place))
    from playground.engine.text.codec import HfTextCodec

    codec = HfTextCodec(tokenizer, small_info(vocab_size=len(tokenizer)))
    with (
        running(Completions(codec, len(tokenizer), owned_by=owner).routes()) as standin,
        serving(make_engine(standin.base)) as server_worker,
    ):
        run, tree = finish(
            server_worker, *(asked(server_worker, "Hello", GREEDY, random_stream=row) for row in range(2))
        )
    assert run.generation is not None and run.generation.rows[0].text
    assert [row.text for row in run.generation.rows] == [shown(tree, row) for row in range(2)]
    assert all(step.raw_logprob is None or step.raw_logprob <= 0 for step in tree.path(0))
