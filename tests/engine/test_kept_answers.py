"""What is kept of answers between two starts: the same numbers or nothing, bounded, and never a failure."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.engine import kept_answers
from playground.engine.fake import FakeEngine
from playground.engine.kept_answers import KeptAnswers

REVISION, IDS = "weights:float32:cpu", (5, 9, 30)
ROW = np.linspace(-4, 9, 50, dtype=np.float32)


@pytest.fixture
def kept(tmp_path: Path) -> KeptAnswers:
    return KeptAnswers(tmp_path / "answers")


def files(kept: KeptAnswers) -> list[Path]:
    return sorted(kept._folder.glob("*")) if kept._folder.exists() else []


def test_a_row_and_a_score_come_back_as_they_were(kept: KeptAnswers) -> None:
    engine = FakeEngine()
    kept.put_row(REVISION, IDS, ROW)
    kept.put_score(REVISION, engine.score(IDS))
    row, score, scored = kept.row(REVISION, IDS), kept.score(REVISION, IDS), engine.score(IDS)
    assert row is not None and np.array_equal(row, ROW) and not row.flags.writeable
    assert score is not None and score.ids == IDS
    for name in ("logprobs", "ranks", "entropies"):
        assert np.array_equal(getattr(score, name), getattr(scored, name), equal_nan=True)
        assert getattr(score, name).dtype == getattr(scored, name).dtype


def test_the_facts_of_a_model_come_back(kept: KeptAnswers) -> None:
    engine = FakeEngine()
    assert kept.about(engine.info.revision) is None
    kept.put_about(engine.info, engine.capabilities)
    assert kept.about(engine.info.revision) == (engine.info, engine.capabilities)


@given(
    asked=st.tuples(st.sampled_from([REVISION, "weights:bfloat16:cpu"]), st.lists(st.integers(0, 9), max_size=4)),
    put=st.tuples(st.sampled_from([REVISION, "weights:bfloat16:cpu"]), st.lists(st.integers(0, 9), max_size=4)),
)
def test_a_row_is_served_for_its_own_weights_and_ids_only(
    tmp_path_factory: pytest.TempPathFactory, asked: tuple[str, list[int]], put: tuple[str, list[int]]
) -> None:
    kept = KeptAnswers(tmp_path_factory.mktemp("answers"))
    kept.put_row(put[0], tuple(put[1]), ROW)
    assert (kept.row(asked[0], tuple(asked[1])) is not None) == (asked == put)


def test_other_libraries_or_another_processor_begin_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    KeptAnswers(tmp_path).put_row(REVISION, IDS, ROW)
    monkeypatch.setattr(kept_answers, "circumstances", lambda: "another machine")
    assert KeptAnswers(tmp_path).row(REVISION, IDS) is None


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "no zip", "pickle", "other name", "float64"])
def test_a_broken_file_was_not_kept(kept: KeptAnswers, damage: str) -> None:
    kept.put_row(REVISION, IDS, ROW)
    (file,) = files(kept)
    content = bytearray(file.read_bytes())
    middle = len(content) // 2
    if damage == "flipped":
        content[middle] ^= 1
    saved: dict[str, dict[str, Any]] = {
        "pickle": {"logits": np.array([object()], dtype=object)},
        "other name": {"something": ROW},
        "float64": {"logits": ROW.astype(np.float64)},
    }
    if damage in saved:
        np.savez(file, **saved[damage], allow_pickle=True)
    else:
        file.write_bytes({"cut": content[:middle], "empty": b"", "no zip": b"\x00" * 400}.get(damage, bytes(content)))
    assert kept.row(REVISION, IDS) is None


def test_broken_facts_were_not_kept(kept: KeptAnswers) -> None:
    engine = FakeEngine()
    kept.put_about(engine.info, engine.capabilities)
    (file,) = files(kept)
    for text in ("", "{}", "[]", '{"info": {"eos_token_ids": [1]}, "capabilities": {}}', '{"info": 3}'):
        file.write_text(text, encoding="utf-8")
        assert kept.about(engine.info.revision) is None


def test_the_least_recently_used_go_first(tmp_path: Path) -> None:
    size = KeptAnswers(tmp_path / "one")
    size.put_row(REVISION, IDS, ROW)
    kept = KeptAnswers(tmp_path / "answers", max_bytes=3 * files(size)[0].stat().st_size)
    for number in range(3):
        kept.put_row(REVISION, (number,), ROW)
    for age, number in enumerate((1, 2, 0)):  # 0 was used last, 1 first
        os.utime(kept._path("row", REVISION, (number,)), (age, age))
    assert kept.row(REVISION, (1,)) is not None  # and now 2 is the oldest
    kept.put_row(REVISION, (3,), ROW)
    assert [kept.row(REVISION, (number,)) is not None for number in range(4)] == [True, True, False, True]
    assert all(path.suffix == ".npz" for path in files(kept)), "no part files are left"


def test_a_disk_that_refuses_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    kept = KeptAnswers(tmp_path / "file")
    kept.put_row(REVISION, IDS, ROW)
    assert kept.row(REVISION, IDS) is None and kept.about(REVISION) is None
    kept.forget(REVISION, IDS)


def test_the_files_name_no_text_and_hold_none(kept: KeptAnswers) -> None:
    engine = FakeEngine()
    kept.put_row(REVISION, engine.codec.encode("a secret prompt"), ROW)
    kept.put_score(REVISION, engine.score(engine.codec.encode("a secret prompt")))
    for file in files(kept):
        assert b"secret" not in file.read_bytes() and "secret" not in file.name
        with np.load(file) as opened:
            assert set(opened.files) <= {"logits", "logprobs", "ranks", "entropies"}, "no ids"


def test_facts_of_one_revision_are_replaced(kept: KeptAnswers) -> None:
    engine = FakeEngine()
    kept.put_about(engine.info, engine.capabilities)
    changed = dataclasses.replace(engine.capabilities, attentions=False)
    kept.put_about(engine.info, changed)
    assert kept.about(engine.info.revision) == (engine.info, changed)
