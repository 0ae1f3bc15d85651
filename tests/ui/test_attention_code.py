"""The Attention page's code gives the weights that the page shows."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from transformers import FalconConfig, FalconForCausalLM

from playground.ui.attention_page import export
from playground.ui.attention_page.view import AttentionPageView
from tests.engine.test_falcon_alibi import CONFIG, IDS, sharpen, written_out


def test_the_code_for_a_falcon_adds_its_bias_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    saved = FalconForCausalLM(FalconConfig(**CONFIG)).eval()
    sharpen(saved)
    saved.save_pretrained(tmp_path)
    monkeypatch.setattr(export, "model_id", lambda: str(tmp_path))
    view = SimpleNamespace(
        info=SimpleNamespace(architecture="FalconForCausalLM"), text=SimpleNamespace(ids=IDS, end=len(IDS))
    )
    names: dict[str, Any] = {}
    with torch.inference_mode():
        exec(export.code(cast(AttentionPageView, view)), names)
        _states, weights = written_out(saved.transformer, IDS)
    for layer, whole in zip(names["weights"], weights, strict=True):
        torch.testing.assert_close(layer[0], whole, atol=1e-5, rtol=1e-5)


def test_other_code_needs_transformers_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "model_id", lambda: "gpt2")
    view = SimpleNamespace(info=SimpleNamespace(architecture="GPT2LMHeadModel"), text=SimpleNamespace(ids=(1,), end=1))
    assert "playground" not in export.code(cast(AttentionPageView, view))
