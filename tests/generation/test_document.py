"""Files that leave and come back: a round trip, and one sentence for everything that is not such a file."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playground.charts.run_html import run_html
from playground.constraint import Constraint
from playground.engine.fake.codec import EOS_ID, VOCAB
from playground.engine.fake.engine import FakeEngine
from playground.errors import BadInput
from playground.generation import GenerationRequest, TokenStep, generate
from playground.generation.document import Limits, Prompt, Run, origin_of
from playground.generation.document_reading import from_json
from playground.generation.document_schema import MOST_BYTES
from playground.generation.document_writing import CSV_COLUMNS, to_csv, to_json
from playground.generation.tree import Branch, Tree
from playground.sampling.settings import SamplerSettings

ENGINE = FakeEngine()
USUAL = SamplerSettings(top_k=20, temperature=0.8)
HOSTILE = '<script>alert(1)</script>&amp;"=cmd()\n'


def make_run(settings: SamplerSettings = USUAL, text: str = "Hi é😀") -> Run:
    """A real generation, branched once."""
    ids = ENGINE.codec.encode(text)
    steps = generate(ENGINE, [GenerationRequest(ids, settings, max_new_tokens=6, ignore_eos=True, top=4)])
    while True:
        try:
            next(steps)
        except StopIteration as end:
            row = end.value.rows[0]
            break
    tree = Tree().add(Branch(0, None, 0, row.steps, settings, 7, ended="length"))
    fork = dataclasses.replace(row.steps[2], id=65, raw_logprob=-math.inf, prob=0.0)
    tree = tree.add(
        Branch(
            0, 0, 2, (fork,), settings, 7, picked=True, name="=warm", ended="stop", stopped_by="\n", hidden_text="\n"
        )
    )
    score = ENGINE.score(ids)
    prompt = Prompt(
        text,
        ids,
        logprobs=(None, *map(float, score.logprobs[1:])),
        ranks=(None, *map(int, score.ranks[1:])),
        entropies=(None, *map(float, score.entropies[1:])),
    )
    return Run(origin_of(ENGINE.info), prompt, Limits(6, ("\n", "<b>"), (3,), True), tree.fold(0))


def normal(run: Run) -> Run:
    """Steps number their tokens from the path, and belong to no row of a batch any more."""

    def steps(branch: Branch) -> tuple[TokenStep, ...]:
        return tuple(dataclasses.replace(step, row=0, index=branch.fork + i) for i, step in enumerate(branch.steps))

    branches = tuple(dataclasses.replace(branch, steps=steps(branch)) for branch in run.tree.branches)
    return dataclasses.replace(run, tree=dataclasses.replace(run.tree, branches=branches))


@pytest.mark.parametrize(
    "settings",
    [
        SamplerSettings(),
        SamplerSettings(temperature=0.0),
        SamplerSettings(mirostat_tau=4.0),
        SamplerSettings(logit_bias=((5, -2.0),), order="llama.cpp", dry_multiplier=1.0, dry_sequence_breakers=("x",)),
    ],
    ids=["neutral", "greedy", "mirostat", "many"],
)
def test_what_is_saved_comes_back_the_same(settings: SamplerSettings) -> None:
    run = make_run(settings)
    restored, note = from_json(to_json(run, ENGINE.codec).encode(), ENGINE.info)
    assert note is None
    assert restored == normal(run)


def test_a_file_of_an_earlier_version_is_read() -> None:
    """It calls a branch's random stream its luck_row."""
    run = make_run()
    tree = Tree(tuple(dataclasses.replace(branch, random_stream=3) for branch in run.tree.branches))
    run = dataclasses.replace(run, tree=tree)
    text = to_json(run, ENGINE.codec)
    old = text.replace('"random_stream": 3', '"luck_row": 3')
    assert old.count("luck_row") == 2
    assert from_json(old.encode(), ENGINE.info) == from_json(text.encode(), ENGINE.info) == (normal(run), None)


def test_what_texts_had_to_match_is_in_the_files_and_a_file_from_before_has_none() -> None:
    run, plain = make_run(), make_run()
    held = Constraint("choice", "<b>yes\nno")
    run = dataclasses.replace(run, limits=dataclasses.replace(run.limits, constraint=held))
    text = to_json(run, ENGINE.codec)
    assert from_json(text.encode(), ENGINE.info)[0].limits.constraint == held
    assert "list of choices" in run_html(run, ENGINE.codec) and "&lt;b&gt;yes\nno" in run_html(run, ENGINE.codec)
    old = json.loads(to_json(plain, ENGINE.codec))
    del old["limits"]["constraint"]
    assert from_json(json.dumps(old).encode(), ENGINE.info)[0] == normal(plain)
    old["limits"]["constraint"] = {"kind": "word", "text": "a"}
    with pytest.raises(BadInput, match="limits.constraint.kind"):
        from_json(json.dumps(old).encode(), ENGINE.info)


def test_the_file_is_plain_json_with_the_text_beside_each_id() -> None:
    data = json.loads(to_json(make_run(), ENGINE.codec), parse_constant=lambda word: pytest.fail(word))
    assert data["prompt"]["pieces"][-1] == "😀" and data["prompt"]["logprobs"][0] is None
    assert data["branches"][1]["steps"][0]["text"] == "A" and data["branches"][1]["steps"][0]["raw_logprob"] is None


def test_another_precision_is_told_and_another_model_refused() -> None:
    text = to_json(make_run(), ENGINE.codec).encode()
    half = dataclasses.replace(ENGINE.info, revision="fake-2", dtype="bfloat16")
    _run, note = from_json(text, half)
    assert note is not None and "bfloat16" in note and note.endswith(".")
    for other in (dataclasses.replace(ENGINE.info, id="gpt2"), dataclasses.replace(ENGINE.info, vocab_size=VOCAB - 1)):
        with pytest.raises(BadInput, match="Fake model"):
            from_json(text, other)


def one_sentence(data: bytes) -> str:
    with pytest.raises(BadInput) as caught:
        from_json(data, ENGINE.info)
    said = str(caught.value)
    assert said.endswith(".") and "\n" not in said and len(said) < 400 and "Traceback" not in said
    return said


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_file_cut_off_is_refused(share: float) -> None:
    data = to_json(make_run(), ENGINE.codec).encode()
    assert "cut off" in one_sentence(data[: int(len(data) * share)])


@pytest.mark.parametrize(
    "data",
    [b"", b"null", b"[]", b"{}", b"\xff\xfe", b"[" * 100_000, b'{"format": "other"}', b"1e999", b"NaN", b"\x00" * 99],
    ids=lambda data: repr(data[:12]),
)
def test_what_is_no_such_file_is_refused(data: bytes) -> None:
    one_sentence(data)


def test_a_file_that_is_too_large_is_not_read() -> None:
    assert "MB" in one_sentence(b" " * (MOST_BYTES + 1))


WRONG: list[tuple[list[Any], Any]] = [
    (["branches", 0, "steps", 0, "id"], VOCAB),
    (["branches", 0, "steps", 0, "id"], -1),
    (["branches", 0, "steps", 0, "id"], "5"),
    (["branches", 0, "steps", 0, "id"], True),
    (["branches", 0, "steps", 0, "prob"], 1.5),
    (["branches", 0, "steps", 0, "raw_logprob"], 3.0),
    (["branches", 0, "steps", 0, "entropy"], -1.0),
    (["branches", 0, "steps", 0, "top", 0, "id"], 10**9),
    (["branches", 0, "steps", 0, "top", 0, "removed_by"], "<script>"),
    (["branches", 0, "steps"], "x"),
    (["branches", 0, "settings"], {"top_p": "nan"}),
    (["branches", 0, "settings"], {"__class__": 1}),
    (["branches", 0, "settings"], {"temperature": {"a": []}}),
    (["branches", 0, "parent"], 0),
    (["branches", 0, "parent"], 1),
    (["branches", 0, "fork"], 1),
    (["branches", 1, "fork"], 99),
    (["branches", 1, "parent"], 5),
    (["branches", 1, "steps"], []),
    (["branches", 1, "name"], "x" * 1000),
    (["branches", 0, "ended"], "exploded"),
    (["branches", 0, "seed"], 2**64),
    (["branches"], []),
    (["current"], 2),
    (["folded"], [7]),
    (["prompt", "ids"], []),
    (["prompt", "ids"], [VOCAB]),
    (["prompt", "logprobs"], [None]),
    (["limits", "max_new_tokens"], 0),
    (["limits", "stop_strings"], [""]),
    (["limits", "stop_ids"], [VOCAB]),
    (["model", "vocab_size"], 0),
    (["format"], "playground-generation-2"),
]


@pytest.mark.parametrize(("path", "value"), WRONG, ids=lambda item: str(item)[:40])
def test_each_thing_that_does_not_fit_is_one_sentence(path: list[str | int], value: object) -> None:
    data = json.loads(to_json(make_run(), ENGINE.codec))
    place = data
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    one_sentence(json.dumps(data).encode())


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_change_of_a_file_is_an_exception_of_another_kind(data: st.DataObject) -> None:
    text = to_json(make_run(), ENGINE.codec)
    at = data.draw(st.integers(0, len(text) - 1))
    changed = text[:at] + data.draw(st.sampled_from(["9", '"', "-", "{", "]", "\\", "null", "1e400"])) + text[at + 1 :]
    try:
        run, _note = from_json(changed.encode(), ENGINE.info)
    except BadInput as error:
        assert str(error).endswith(".")
    else:
        assert all(0 <= token < VOCAB for branch in run.tree.branches for token in run.tree.path_ids(branch.id))


def test_the_csv_has_a_line_for_each_token_of_each_path() -> None:
    run = make_run()
    rows = list(csv.DictReader(io.StringIO(to_csv(run, ENGINE.codec))))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert [(int(row["branch"]), int(row["id"])) for row in rows] == [
        (branch.id, token) for branch in run.tree.branches for token in run.tree.path_ids(branch.id)
    ]
    assert [row["picked_by_hand"] for row in rows] == ["0"] * 8 + ["1"]
    assert rows[-1]["name"] == "'=warm", "a spreadsheet must not run it"
    assert rows[-1]["ended"] == "stop" and rows[0]["ended"] == ""
    for row in rows[:6]:
        assert math.log(float(row["raw_prob"])) == pytest.approx(float(row["raw_logprob"]), abs=1e-5)


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_opens_offline_and_nothing_in_it_acts() -> None:
    run = make_run(text=HOSTILE)
    run = dataclasses.replace(
        run, origin=dataclasses.replace(run.origin, name=HOSTILE), tree=run.tree.rename(0, "<img>")
    )
    page = run_html(run, ENGINE.codec)
    reader = Reader()
    reader.feed(page)
    assert not {"script", "img", "link", "iframe", "object"} & set(reader.tags)
    assert not [name for name, _value in reader.attributes if name.startswith("on") or name in ("src", "href")]
    assert "http://" not in page and "https://" not in page and "url(" not in page
    assert "default-src 'none'" in page
    assert "<script>alert(1)</script>" in reader.text and "<img>" in reader.text
    assert reader.tags.count("tr") == 2 + 6 + 3, "a head and a line for each step of both texts"


def test_an_end_token_is_named_in_all_three() -> None:
    run = make_run()
    step = dataclasses.replace(run.tree[0].steps[0], id=EOS_ID)
    run = dataclasses.replace(run, tree=Tree().add(Branch(0, None, 0, (step,), ended="eos")))
    for export in (to_json(run, ENGINE.codec), to_csv(run, ENGINE.codec), run_html(run, ENGINE.codec)):
        assert "⟨im_end⟩" in export


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_no_cut(encoding: str) -> None:
    text = to_json(make_run(), ENGINE.codec)
    assert from_json(text.encode(encoding), ENGINE.info) == from_json(text.encode(), ENGINE.info)


def test_a_key_that_is_there_twice_is_said() -> None:
    text = to_json(make_run(), ENGINE.codec).lstrip()
    with pytest.raises(BadInput, match="twice"):
        from_json(('{"prompt": null,' + text[1:]).encode(), ENGINE.info)


def test_a_saved_generation_tells_nothing_of_the_disk_and_is_read_by_the_same_model_elsewhere() -> None:
    here = dataclasses.replace(ENGINE.info, id="/srv/models/own")
    text = to_json(dataclasses.replace(make_run(), origin=origin_of(here)), ENGINE.codec)
    assert "/srv" not in text and '"own"' in text
    elsewhere = dataclasses.replace(ENGINE.info, id="/mnt/other/own")
    earlier = text.replace('"own"', '"/srv/models/own"')
    for saved in (text, earlier):
        assert from_json(saved.encode(), elsewhere)[0].origin.name == ENGINE.info.name
    with pytest.raises(BadInput, match="choose that model"):
        from_json(text.encode(), dataclasses.replace(ENGINE.info, id="org/own"))
