"""Packed layers against torch's own, and the choice between them."""

from __future__ import annotations

import copy
import gc
import weakref
from typing import NoReturn

import numpy as np
import pytest
import torch
from torch import nn
from transformers import PreTrainedModel

from playground.engine.cpu_threads import cpu_threads
from playground.engine.hf import prepack
from playground.engine.hf.engine import TransformersEngine
from playground.engine.hf.prepack import PackedLinear, Tuning, pack_linears, tune_for_cpu
from tests.engine.small import CONFIGS, VOCAB, small_loaded, small_model


@pytest.fixture
def packing_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        prepack,
        "_race",
        lambda linears, packable, threads: {
            prepack._Choice(False, 1): 1.0,
            prepack._Choice(True, 1): 0.5 if packable else 2.0,
        },
    )


def logits_of(model: PreTrainedModel) -> torch.Tensor:
    with torch.inference_mode():
        result: torch.Tensor = model(input_ids=torch.arange(40)[None] % VOCAB, use_cache=False).logits
    return result


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_packed_model_gives_the_plain_models_logits(kind: str) -> None:
    plain = small_model(kind)
    packed = copy.deepcopy(plain)
    before = sum(type(module) is nn.Linear for module in plain.modules())
    assert pack_linears(packed) == before
    assert sum(isinstance(module, PackedLinear) for module in packed.modules()) == before
    torch.testing.assert_close(logits_of(packed), logits_of(plain), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("shape", [(), (1,), (7,), (2, 3), (2, 1, 5)])
@pytest.mark.parametrize("bias", [True, False])
def test_a_packed_layer_takes_any_leading_shape(shape: tuple[int, ...], bias: bool) -> None:
    plain = nn.Linear(24, 17, bias=bias).requires_grad_(False)
    states = torch.randn(*shape, 24)
    got = PackedLinear(plain, shares_weight=False)(states)
    assert got.shape == (*shape, 17)
    torch.testing.assert_close(got, plain(states), atol=1e-5, rtol=1e-5)


def test_a_tied_head_is_packed_and_the_embedding_keeps_the_one_plain_weight(packing_wins: None) -> None:
    model = small_model("llama-tied")
    assert tune_for_cpu(model).packed_layers
    head, embedding = model.get_output_embeddings(), model.get_input_embeddings()
    assert isinstance(head, PackedLinear) and head.weight is embedding.weight
    torch.testing.assert_close(logits_of(model), logits_of(small_model("llama-tied")), atol=1e-4, rtol=1e-4)


def test_the_plain_weights_of_packed_layers_are_released() -> None:
    model = small_model("llama")
    weight = weakref.ref(model.model.layers[0].mlp.up_proj.weight)
    pack_linears(model)
    gc.collect()
    assert weight() is None


def test_the_faster_way_is_chosen_and_a_tie_stays_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    def race(times: dict[tuple[bool, int], float]) -> Tuning:
        tuning = {prepack._Choice(*choice): seconds for choice, seconds in times.items()}
        monkeypatch.setattr(prepack, "_race", lambda linears, packable, threads: tuning)
        return tune_for_cpu(small_model("llama"))

    layers = sum(type(module) is nn.Linear for module in small_model("llama").modules())
    assert race({(False, 1): 3, (False, 2): 2, (True, 1): 4, (True, 2): 1}) == Tuning(layers, 2)
    assert race({(False, 1): 1, (False, 2): 2, (True, 1): 4, (True, 2): 3}) == Tuning(0, 1)
    assert race({(False, 1): 1.02, (False, 2): 2, (True, 1): 1, (True, 2): 3}) == Tuning(0, 1)


def test_the_race_measures_every_way_and_puts_the_threads_back() -> None:
    before = torch.get_num_threads()
    linears = [module for module in small_model("llama").modules() if type(module) is nn.Linear]
    seconds = prepack._race(linears, True, [1, 2])
    assert {(choice.packed, choice.threads) for choice in seconds} == {(False, 1), (False, 2), (True, 1), (True, 2)}
    assert all(value > 0 for value in seconds.values())
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("failure", ["missing operator", "wrong result", "switched off", "float16"])
def test_where_packing_is_not_possible_the_model_stays_plain(
    monkeypatch: pytest.MonkeyPatch, packing_wins: None, failure: str
) -> None:
    model = small_model("llama")
    if failure == "missing operator":

        def missing(*_args: object, **_kwargs: object) -> NoReturn:
            raise NotImplementedError("no such operator")

        monkeypatch.setattr(prepack, "PackedLinear", missing)
    elif failure == "wrong result":
        monkeypatch.setattr(
            PackedLinear, "forward", lambda self, states: torch.zeros(*states.shape[:-1], self.out_features)
        )
    elif failure == "switched off":
        monkeypatch.setattr(torch.backends.mkldnn, "enabled", False)
    else:
        model = model.half()
    assert tune_for_cpu(model).packed_layers == 0
    assert not any(
        isinstance(module, PackedLinear) for module in model.modules() if isinstance(prepack.PackedLinear, type)
    )


def test_the_plain_weight_can_still_be_read() -> None:
    plain = nn.Linear(24, 17).requires_grad_(False)
    assert torch.equal(PackedLinear(plain, shares_weight=False).weight, plain.weight)


def test_hooked_and_special_linears_are_left_alone() -> None:
    class Other(nn.Linear):
        pass

    hooked = nn.Linear(4, 4)
    hooked.register_forward_hook(lambda _module, _args, output: output + 1)
    model = nn.Sequential(Other(4, 4), hooked, nn.Linear(4, 4))
    assert pack_linears(model) == 1
    assert isinstance(model[2], PackedLinear)


def test_a_packed_engine_reuses_prefixes_and_agrees() -> None:
    loaded = small_loaded("llama-tied")
    plain = TransformersEngine(small_loaded("llama-tied"))
    pack_linears(loaded.model)
    packed = TransformersEngine(loaded, step_threads=1)
    ids = tuple(range(50))
    for length in (30, 31, 50):
        got = packed.next_logits(ids[:length])
        np.testing.assert_allclose(got.logits, plain.next_logits(ids[:length]).logits, atol=1e-4, rtol=0)
    assert got.computed_tokens == 19


@pytest.mark.parametrize(("crowded", "expected"), [(False, 3), (True, 1)])
def test_a_token_is_computed_on_one_thread_while_others_need_the_processors(crowded: bool, expected: int) -> None:
    loaded = small_loaded("llama-tied")
    threads: list[int] = []
    loaded.model.register_forward_pre_hook(lambda _model, _args: threads.append(torch.get_num_threads()))
    engine = TransformersEngine(loaded, step_threads=3, crowded=lambda: crowded)
    own = torch.get_num_threads()
    engine.next_logits(range(30))
    engine.next_logits(range(31))  # one more token
    assert threads == [own, expected]


def test_threads_are_set_for_the_block_only() -> None:
    before = torch.get_num_threads()
    with pytest.raises(ValueError, match="inside"), cpu_threads(before + 1):
        assert torch.get_num_threads() == before + 1
        raise ValueError("inside")
    assert torch.get_num_threads() == before
    with cpu_threads(None):
        assert torch.get_num_threads() == before
