"""``attend``: the fields of its contract, its file against transformers, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from playground.cli import options
from playground.engine.api import Attention
from playground.engine.fake.engine import FakeEngine
from playground.engine.hf.engine import TransformersEngine
from tests.cli.running import Capture, answer, refusal
from tests.engine.test_attention_pass import eager_weights

TEXT = "ab abc"


@pytest.fixture(autouse=True)
def _fake(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine()
    monkeypatch.setattr(options, "open_engine", lambda args: engine)


def test_shape_ids_and_every_heads_sink_share(capsys: Capture) -> None:
    result = answer(capsys, "attend", "--text", TEXT)
    ids = FakeEngine().codec.encode(TEXT)
    attention = FakeEngine(shows_scores=False).attentions(ids)
    assert result["ids"] == list(ids) and result["model"] == "fake"
    assert result["shape"] == [2, 2, len(ids), len(ids)] == [result[k] for k in ("layers", "heads", "queries", "keys")]
    assert [(row["layer"], row["head"]) for row in result["sinks"]] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    for row in result["sinks"]:
        expected = attention.layers[row["layer"]].weights[row["head"], 1:, 0].mean()
        assert row["sink_share"] == pytest.approx(expected, abs=1e-6)


def test_one_layer_one_head_and_its_queries(capsys: Capture) -> None:
    layer = answer(capsys, "attend", "--text", TEXT, "--layer", "1")
    assert [(row["layer"], row["head"]) for row in layer["sinks"]] == [(1, 0), (1, 1)] and "rows" not in layer
    head = answer(capsys, "attend", "--text", TEXT, "--layer", "1", "--head", "0")
    assert [(row["layer"], row["head"]) for row in head["sinks"]] == [(1, 0)]
    assert len(head["rows"]) == head["queries"]
    assert head["rows"][0]["keys"] == [{"position": 0, "text": head["tokens"][0], "weight": 1.0}]
    weights = [key["weight"] for key in head["rows"][-1]["keys"]]
    assert weights == sorted(weights, reverse=True)


def test_the_file_holds_all_weights_and_the_ids(capsys: Capture, tmp_path: Path) -> None:
    target = tmp_path / "a.npz"
    result = answer(capsys, "attend", "--text", TEXT, "--layer", "1", "--out", str(target))
    assert result["out"] == str(target)
    with np.load(target, allow_pickle=False) as file:
        assert list(file["attention"].shape) == result["shape"]
        assert file["ids"].tolist() == result["ids"]
        np.testing.assert_allclose(file["attention"].sum(-1), 1, atol=1e-5)


def test_a_window_of_a_long_text_by_positions_in_the_whole_text(capsys: Capture, tmp_path: Path) -> None:
    target = tmp_path / "a.npz"
    window = ("--start", "2", "--end", "5", "--layer", "0", "--head", "1", "--out", str(target))
    result = answer(capsys, "attend", "--text", TEXT, *window)
    whole = answer(capsys, "attend", "--text", TEXT, "--layer", "0", "--head", "1")
    assert result["shape"] == [2, 2, 3, 3] and result["start"] == 2 and result["ids"] == whole["ids"]
    assert result["tokens"] == whole["tokens"][2:5]
    assert [row["query"] for row in result["rows"]] == [2, 3, 4]
    assert {key["position"] for row in result["rows"] for key in row["keys"]} == {2, 3, 4}
    with np.load(target) as file:
        np.testing.assert_allclose(file["attention"].sum(-1) + file["before"], 1, atol=1e-5)


def test_one_token_has_no_sink_share(capsys: Capture) -> None:
    result = answer(capsys, "attend", "--text", "a")
    assert result["shape"] == [2, 2, 1, 1] and result["sinks"][0]["sink_share"] is None


def test_the_readable_form_names_head_and_share(capsys: Capture) -> None:
    from playground.cli import main

    assert main(["attend", "--text", TEXT, "--layer", "0", "--head", "1"]) == 0
    printed = capsys.readouterr().out
    assert "2 layers, 2 heads (1 key-value heads)" in printed and "first token" in printed and "%" in printed


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "--text or --text-file is needed"),
        (("--text", ""), "empty"),
        (("--text", "a", "--layer", "9"), "--layer: There is no attention in layer 9: choose one of 0 to 1"),
        (("--text", "a", "--head", "9"), "no head 9; the heads are 0 to 1"),
        (("--text", "a", "--layer", "x"), "--layer must be a whole number"),
        (("--text", "a", "--out", "a.txt"), "must end in .npz"),
        (("--text", "a", "--out", "no/such/folder/a.npz"), "cannot be written"),
        (("--text", "abc", "--start", "2", "--end", "1"), "not part of this text"),
        (("--text", "abc", "--start", "-1"), "--start must be a whole number"),
        (("--text-file", "no-such-file"), "--text-file"),
        (("--text", "a", "--system", "b"), "--system needs --chat"),
        (("--text", "a " * 3000), "at most 2,048"),
    ],
)
def test_refusals(capsys: Capture, arguments: tuple[str, ...], says: str) -> None:
    assert says in refusal(capsys, "attend", *arguments)


def test_a_model_without_attention_says_so(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, "open_engine", lambda args: FakeEngine(lacks=frozenset({Attention})))
    assert "Attention weights come from models" in refusal(capsys, "attend", "--text", TEXT)


@pytest.mark.model
def test_the_bundled_models_file_equals_transformers(
    capsys: Capture, tmp_path: Path, bundled_engine: TransformersEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(options, "open_engine", lambda args: bundled_engine)
    target = tmp_path / "a.npz"
    result = answer(capsys, "attend", "--text", "The capital of France is", "--out", str(target))
    assert result["shape"] == [30, 9, 5, 5] and result["kv_heads"] == 3
    with np.load(target) as file:
        assert np.abs(file["attention"] - np.stack(eager_weights(bundled_engine, tuple(result["ids"])))).max() < 1e-4
