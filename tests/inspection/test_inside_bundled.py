"""The bundled model's inside: what the page says of it is so."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from playground.engine.api import CancelToken
from playground.engine.hf.engine import TransformersEngine
from playground.engine.hf.prepack import tune_for_cpu
from playground.inspection.anatomy import examine_weights
from playground.inspection.lens import LensPicture, answer_leads_from, choose_window, read_lens, recorded_path
from playground.inspection.speed import workload_of
from playground.models.loading import load
from playground.ui.inside_page.experiments import EXPERIMENTS

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def engine(bundled_model_path: object) -> Iterator[TransformersEngine]:
    bundled = TransformersEngine(load(dtype="float32", device="cpu"))
    yield bundled
    bundled.close()


def picture_of(engine: TransformersEngine, text: str) -> LensPicture:
    ids = engine.codec.encode(text)
    steps = read_lens(engine, ids, choose_window(len(ids)), CancelToken())
    while True:
        try:
            next(steps)
        except StopIteration as end:
            picture: LensPicture = end.value
            return picture


def test_the_answer_appears_where_the_experiment_says(engine: TransformersEngine) -> None:
    picture = picture_of(engine, EXPERIMENTS["answer"].setup["prompt"])
    pieces = [engine.codec.piece(token) for token in picture.ids]
    paris = engine.codec.encode(" Paris")[0]
    tops = picture.rows.top_ids[:, :, 0]
    assert tops[-1, -1] == tops[-1, pieces.index(" in")] == paris
    assert answer_leads_from(picture)[-1] >= 26
    path = recorded_path(picture, len(picture.ids) - 1, paris)
    assert path is not None and path.ranks[20] > 1000 and path.ranks[26] < 1000, "it climbs before it leads"
    with torch.inference_mode():
        own = engine.loaded.model(input_ids=torch.tensor([picture.ids])).logits[0].log_softmax(-1).numpy()
    chosen = np.take_along_axis(own, picture.rows.top_ids[-1], axis=-1)
    np.testing.assert_allclose(picture.rows.top_logprobs[-1], chosen, atol=1e-3)
    assert picture.rows.head_gap < 1e-3


def test_the_pattern_settles_as_the_experiment_says(engine: TransformersEngine) -> None:
    picture = picture_of(engine, EXPERIMENTS["pattern"].setup["prompt"])
    spaces = [place for place, token in enumerate(picture.ids) if engine.codec.piece(token) == " "]
    away = picture.rows.divergences[25, spaces]
    assert away[:2].min() > 0.7 and away[5:8].max() < 0.4 and away[8] > 1.0


def test_the_anatomy_is_the_models_own_and_stays_so_when_its_layers_are_packed(engine: TransformersEngine) -> None:
    count = engine.loaded.model.num_parameters()
    plain = examine_weights(engine.info, engine.weights())
    assert plain.total == count == engine.info.parameters == 134_515_008 and plain.tied
    assert plain.formula is not None and plain.formula.total == count
    tune_for_cpu(engine.loaded.model)
    again = examine_weights(engine.info, engine.weights())
    assert {part.title: part.parameters for part in again.parts} == {
        part.title: part.parameters for part in plain.parts
    }


def test_the_caches_bytes_equal_the_formula(engine: TransformersEngine) -> None:
    batch = engine.open_batch([tuple(range(100, 150))])
    work = workload_of(engine.info, engine.weights())
    assert batch.cache_bytes == work.cache_bytes(50) == 50 * 2 * 30 * 3 * 64 * 4
    batch.close()
