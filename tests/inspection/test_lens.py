"""The lens over a window: what is kept, what is followed, when the answer takes the lead."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

import numpy as np
import pytest

from playground.engine.api import CancelToken, Engine, Hidden
from playground.engine.fake.codec import VOCAB
from playground.engine.fake.engine import FakeEngine
from playground.engine.hf.engine import TransformersEngine
from playground.engine.types import LENS_TOP, LensRows
from playground.errors import BadInput, Cancelled, CapabilityMissing
from playground.inspection.lens import (
    MAX_POSITIONS,
    LensPicture,
    RankPath,
    answer_leads_from,
    choose_window,
    follow_token,
    lens_cell,
    read_lens,
    recorded_path,
)
from tests.engine.small import small_loaded

T = TypeVar("T")
TEXT = tuple(b"The capital of France is")


def finish(steps: Generator[Any, None, T]) -> tuple[list[Any], T]:
    progress: list[Any] = []
    while True:
        try:
            progress.append(next(steps))
        except StopIteration as end:
            return progress, end.value


def fake() -> FakeEngine:
    return FakeEngine()


def picture_of(engine: Engine, ids: tuple[int, ...] = TEXT) -> LensPicture:
    return finish(read_lens(engine, ids, choose_window(len(ids)), CancelToken()))[1]


def lens_of(tops: list[list[int]]) -> LensPicture:
    """A picture of which only the top tokens, (depths, positions), matter."""
    top = np.array(tops, dtype=np.int32)[..., None]
    blank = np.zeros(top.shape[:2], dtype=np.float32)
    rows = LensRows(0, top, blank[..., None], blank, blank, top[-1], top * 0, blank[..., None], 0.0)
    return LensPicture((0,) * top.shape[1], rows, 1.0)


@pytest.mark.parametrize(
    ("length", "start", "expected"),
    [
        (5, None, range(5)),
        (MAX_POSITIONS, 10, range(MAX_POSITIONS)),
        (200, None, range(200 - MAX_POSITIONS, 200)),
        (200, 7, range(7, 7 + MAX_POSITIONS)),
        (200, 10**6, range(200 - MAX_POSITIONS, 200)),
        (200, -4, range(MAX_POSITIONS)),
        (1, None, range(1)),
    ],
)
def test_a_window_is_the_end_of_the_text_or_where_one_asks(length: int, start: int | None, expected: range) -> None:
    assert choose_window(length, start) == expected


def test_the_whole_window_is_read_with_progress_and_the_last_depth_is_the_engines_answer() -> None:
    engine = fake()
    progress, picture = finish(read_lens(engine, TEXT, range(3, 20), CancelToken()))
    assert (
        progress[0] == (0, 17)
        and progress[-1] == (17, 17)
        and [done for done, _ in progress] == sorted(d for d, _ in progress)
    )
    assert picture.window == range(3, 20) and picture.depths == engine.info.layers + 1
    for position in (3, 11, 19):
        logits = engine.next_logits(TEXT[: position + 1]).logits.astype(np.float64)
        probabilities = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
        cell = lens_cell(picture, picture.depths - 1, position)
        assert cell.top[0][0] == logits.argmax() and cell.divergence == pytest.approx(0, abs=1e-6)
        assert cell.top[0][1] == pytest.approx(probabilities.max(), rel=1e-4)
        assert cell.entropy == pytest.approx(-(probabilities * np.log(probabilities)).sum(), rel=1e-4)
        assert [share for _id, share in cell.top] == sorted((share for _id, share in cell.top), reverse=True)
        assert lens_cell(picture, 0, position).entropy == pytest.approx(np.log(VOCAB), rel=1e-4), (
            "depth 0 knows nothing"
        )


def test_followed_tokens_are_known_without_the_engine_and_others_with_one_more_look() -> None:
    engine = TransformersEngine(small_loaded("llama"))
    ids = tuple(range(20, 45))
    picture = picture_of(engine, ids)
    top = lens_cell(picture, 2, 10).top
    path = recorded_path(picture, 10, top[3][0])
    assert path is not None and path.ranks[-1] == 3 and len(path.ranks) == 3
    coming = recorded_path(picture, 10, ids[11])
    assert coming is not None, "the token that really comes is followed too"
    followed = {token for token, _share in top} | {ids[11]}
    other = next(token for token in range(300) if token not in followed)
    assert recorded_path(picture, 10, other) is None and recorded_path(picture, 24, -1) is None
    anew = follow_token(engine, ids, 10, other, CancelToken())
    assert anew.ranks[-1] >= LENS_TOP
    again = follow_token(engine, ids, 10, top[3][0], CancelToken())
    assert again.ranks.tolist() == path.ranks.tolist()
    np.testing.assert_allclose(again.logprobs, path.logprobs, atol=1e-4)


def test_when_the_answer_takes_the_lead() -> None:
    picture = lens_of([[9, 5, 1], [3, 5, 2], [4, 5, 9], [4, 5, 3]])
    assert answer_leads_from(picture).tolist() == [2, 0, 3]
    for ranks, expected in (([5, 2, 0, 0], 2), ([0, 0, 0], 0), ([0, 1, 0], 2), ([4, 0, 2], None)):
        path = RankPath(0, 1, np.array(ranks, dtype=np.int32), np.zeros(len(ranks), dtype=np.float32))
        assert path.leads_from == expected


def test_an_engine_without_hidden_states_and_a_window_too_wide_are_refused() -> None:
    with pytest.raises(CapabilityMissing, match="Hidden states of the layers"):
        picture_of(FakeEngine(lacks=frozenset({Hidden})))
    with pytest.raises(CapabilityMissing):
        follow_token(FakeEngine(lacks=frozenset({Hidden})), TEXT, 3, 1, CancelToken())
    with pytest.raises(BadInput):
        finish(read_lens(fake(), (1,) * 200, range(MAX_POSITIONS + 1), CancelToken()))


def test_nobody_waits_any_more() -> None:
    cancel = CancelToken()
    steps = read_lens(fake(), TEXT, range(len(TEXT)), cancel)
    next(steps)
    next(steps)
    cancel.cancel()
    with pytest.raises(Cancelled):
        finish(steps)


def test_nothing_of_the_size_of_the_vocabulary_is_kept() -> None:
    rows = picture_of(fake()).rows
    arrays = [value for name in LensRows.__dataclass_fields__ if isinstance(value := getattr(rows, name), np.ndarray)]
    assert len(arrays) == 7 and not [value.shape for value in arrays if VOCAB in value.shape]
    assert all(value.base is None or value.base.size == value.size for value in arrays), "no view into something larger"
