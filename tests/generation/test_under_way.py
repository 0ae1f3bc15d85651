"""A generation cut off anywhere, handed on as a text and gone on with, has the tokens of the unbroken one."""

from __future__ import annotations

import base64
import dataclasses
import json
import zlib

import pytest

from playground.engine.fake.engine import FakeEngine
from playground.errors import BadInput
from playground.generation import GenerationRequest, RowResult, generate
from playground.generation.document import Limits, Prompt, Run, origin_of
from playground.generation.tree import Branch, Tree
from playground.generation.types import ids_of
from playground.generation.under_way import Snapshot, from_text, to_text
from playground.sampling.settings import SamplerSettings

ENGINE = FakeEngine()
PROMPT = ENGINE.codec.encode("Hi é")


def packed(text: str) -> str:
    return base64.b64encode(zlib.compress(text.encode())).decode()


def finished(request: GenerationRequest) -> RowResult:
    steps = generate(ENGINE, [request])
    while True:
        try:
            next(steps)
        except StopIteration as end:
            row: RowResult = end.value.rows[0]
            return row


@pytest.mark.parametrize("written", [0, 1, 5, 7])
def test_what_goes_on_elsewhere_is_the_unbroken_text(written: int) -> None:
    settings = SamplerSettings(temperature=0.9, repetition_penalty=1.2)
    whole = finished(GenerationRequest(PROMPT, settings, 8, seed=3, ignore_eos=True))
    branch = Branch(0, None, 0, whole.steps[:written], settings, 3)
    run = Run(origin_of(ENGINE.info), Prompt("Hi é", PROMPT), Limits(8, ignore_eos=True), Tree().add(branch))
    left = {0: 8 - written}
    back = from_text(to_text(Snapshot(run, left, "prompt=Hi", ("A",)), ENGINE.codec), ENGINE.info)
    assert back.run.prompt.ids == PROMPT and back.left == left and (back.setup, back.letters) == ("prompt=Hi", ("A",))
    path = back.run.tree.path(0)
    assert ids_of(path) == whole.ids[:written]
    rest = finished(
        GenerationRequest(PROMPT, settings, back.left[0], seed=3, ignore_eos=True, generated_ids=ids_of(path))
    )
    assert ids_of(path) + rest.ids == whole.ids


def test_what_is_no_snapshot_is_refused() -> None:
    whole = finished(GenerationRequest(PROMPT, max_new_tokens=2))
    tree = Tree().add(Branch(0, None, 0, whole.steps))
    good = to_text(Snapshot(Run(origin_of(ENGINE.info), Prompt("Hi é", PROMPT), Limits(2), tree), {0: 1}), ENGINE.codec)
    bad = [packed("[]"), packed("{}"), packed(json.dumps({"run": "{}", "left": [], "setup": "", "letters": []}))]
    for text in ("", "{}", good[:-9], good + "é", *bad):
        with pytest.raises(BadInput):
            from_text(text, ENGINE.info)
    with pytest.raises(BadInput, match="choose that model"):
        from_text(good, dataclasses.replace(ENGINE.info, id="another"))
