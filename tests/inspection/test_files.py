"""The files of what was seen inside a model: whole, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest

from playground.engine.api import CancelToken
from playground.engine.fake.engine import FakeEngine
from playground.engine.pieces import finish
from playground.inspection import files
from playground.inspection.anatomy import examine_weights
from playground.inspection.lens import choose_window, lens_cell, read_lens
from playground.inspection.timing import time_machine


def test_the_files_hold_what_is_on_screen_and_are_harmless() -> None:
    engine = FakeEngine()
    ids = engine.codec.encode("=1+1 <b>")
    picture = finish(read_lens(engine, ids, choose_window(len(ids)), CancelToken()))
    rows = list(csv.DictReader(io.StringIO(files.lens_csv(picture, engine.codec))))
    assert len(rows) == 3 * len(ids) * 10
    assert not [row for row in rows if row["text"][:1] in "=+-@" or row["after"][:1] in "=+-@"]
    first = next(row for row in rows if (row["depth"], row["position"], row["rank"]) == ("2", "0", "1"))
    cell = lens_cell(picture, 2, 0)
    assert int(first["id"]) == cell.top[0][0] and float(first["probability"]) == pytest.approx(cell.top[0][1])
    with np.load(io.BytesIO(files.lens_npz(picture, engine.info))) as saved:
        assert saved["top_ids"].shape == (3, len(ids), 10) and saved["ids"].tolist() == list(ids)
        assert json.loads(str(saved["about"]))["model"] == "Fake model"


def test_the_other_files() -> None:
    engine = FakeEngine()
    anatomy = examine_weights(engine.info, engine.weights())
    rows = list(csv.DictReader(io.StringIO(files.anatomy_csv(anatomy))))
    assert int(rows[-1]["parameters"]) == sum(int(row["parameters"]) for row in rows[:-1]) == anatomy.total
    timing = finish(time_machine(engine, CancelToken(), (8, 16, 32), seed=0))
    rows = list(csv.DictReader(io.StringIO(files.timing_csv(timing))))
    assert [int(row["prompt_tokens"]) for row in rows] == [8, 16, 32]
    assert all(row["cache_formula_bytes"] == row["cache_measured_bytes"] for row in rows)
