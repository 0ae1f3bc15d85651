"""A base and its adapters over one copy of the weights, against PEFT; the base as it was, to the bit."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from peft.tuners.lora import LoraLayer

from playground.engine.api import AskedStep, Attention, CancelToken, Engine, Hidden, Rows
from playground.engine.facets import require
from playground.engine.factory import adapted, make_engine
from playground.engine.hf.engine import TransformersEngine
from playground.engine.hf.prepack import pack_linears
from playground.engine.pieces import Pieces, finish
from playground.engine.serving.loading import Loading, ModelChoice, OverOthers
from playground.engine.serving.pool import ModelPool
from playground.engine.serving.step_worker import StepWorker
from playground.errors import BadInput, ModelCorrupt, ModelError, PlaygroundError
from playground.models.adapters import read_adapter
from playground.models.low_rank import target
from playground.models.merging import save_merged
from playground.models.naming import base_names, normal_names
from tests.models.tiny import save_gpt2, save_llama
from tests.models.tiny_adapter import save_adapter, with_peft

IDS = (5, 90, 17, 203, 44, 8)
PATIENCE = 20.0


@pytest.fixture(scope="module")
def base_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    save_llama(folder)
    return folder


@pytest.fixture(scope="module")
def adapter_folder(base_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_adapter(base_folder, tmp_path_factory.mktemp("adapter"))


@pytest.fixture
def base(base_folder: Path) -> Iterator[TransformersEngine]:
    engine = make_engine(str(base_folder), device="cpu", dtype="float32")
    assert isinstance(engine, TransformersEngine)
    yield engine
    engine.close()


def spec(base: Path, adapter: Path, rest: str = "") -> str:
    return f"{base}+{adapter}{rest}"


def row(engine: Engine) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    assert isinstance(engine, TransformersEngine)
    return engine.next_logits(IDS).logits


def peft_row(base: Path, adapter: Path, strength: float = 1.0, *, merged: bool = False) -> torch.Tensor:
    _plain, model = with_peft(base, adapter)
    for layer in model.modules():
        if isinstance(layer, LoraLayer):
            layer.scaling = {name: value * strength for name, value in layer.scaling.items()}
    whole = model.merge_and_unload() if merged else model
    with torch.inference_mode():
        logits: torch.Tensor = whole(torch.tensor([IDS])).logits[0, -1]
    return logits


@pytest.mark.parametrize("strength", [0.25, 1.0, 1.5])
def test_logits_are_pefts(base: TransformersEngine, base_folder: Path, adapter_folder: Path, strength: float) -> None:
    own = adapted(base, spec(base_folder, adapter_folder, f"*{strength}"))
    expected = peft_row(base_folder, adapter_folder, strength)
    np.testing.assert_allclose(row(own), expected, atol=1e-5)
    assert float(np.abs(row(own) - row(base)).max()) > 1e-2


def test_patterns_and_rank_stabilised_scale_are_pefts(
    base: TransformersEngine, base_folder: Path, tmp_path: Path
) -> None:
    save_adapter(
        base_folder,
        tmp_path,
        use_rslora=True,
        rank_pattern={"layers.1.self_attn.q_proj": 2},
        alpha_pattern={"down_proj": 3},
    )
    np.testing.assert_allclose(
        row(adapted(base, spec(base_folder, tmp_path))), peft_row(base_folder, tmp_path), atol=1e-5
    )


def test_transposed_layers_are_adapted(tmp_path: Path) -> None:
    save_gpt2(tmp_path / "base")
    save_adapter(tmp_path / "base", tmp_path / "adapter", target_modules=["c_attn", "c_fc"], fan_in_fan_out=True)
    for rest in ("", "*1*merged"):
        engine = make_engine(spec(tmp_path / "base", tmp_path / "adapter", rest), device="cpu", dtype="float32")
        np.testing.assert_allclose(row(engine), peft_row(tmp_path / "base", tmp_path / "adapter"), atol=1e-5)


def test_in_bfloat16_as_peft(base_folder: Path, adapter_folder: Path) -> None:
    engine = make_engine(spec(base_folder, adapter_folder), device="cpu", dtype="bfloat16")
    assert isinstance(engine, TransformersEngine)
    plain, model = with_peft(base_folder, adapter_folder, torch.bfloat16)
    assert plain.dtype == torch.bfloat16
    with torch.inference_mode():
        expected = model(torch.tensor([IDS])).logits[0, -1].float()
    np.testing.assert_allclose(row(engine), expected, atol=2e-2)


@pytest.mark.parametrize("packed", [False, True])
def test_merged_is_the_same_within_rounding(
    base: TransformersEngine, base_folder: Path, adapter_folder: Path, packed: bool
) -> None:
    if packed:
        assert pack_linears(base.loaded.model)
    merged = adapted(base, spec(base_folder, adapter_folder, "*0.5*merged"))
    beside = adapted(base, spec(base_folder, adapter_folder, "*0.5"))
    np.testing.assert_allclose(row(merged), peft_row(base_folder, adapter_folder, 0.5, merged=True), atol=1e-5)
    np.testing.assert_allclose(row(merged), row(beside), atol=1e-5)


def test_strength_0_is_the_base_to_the_bit_and_the_base_is_never_changed(
    base: TransformersEngine, base_folder: Path, adapter_folder: Path
) -> None:
    pack_linears(base.loaded.model)
    before = row(base).copy()
    weights = {name: tensor.clone() for name, tensor in base.loaded.model.state_dict().items()}
    for rest in ("", "*0", "*1.5", "*1*merged"):
        engine = adapted(base, spec(base_folder, adapter_folder, rest))
        assert np.array_equal(row(engine), before) is (rest == "*0")
        engine.close()
    base._runner.prefixes.clear()  # read again, not remembered
    assert np.array_equal(row(base), before)
    assert all(torch.equal(tensor, weights[name]) for name, tensor in base.loaded.model.state_dict().items())


def test_one_copy_of_the_weights(base: TransformersEngine, base_folder: Path, adapter_folder: Path) -> None:
    own = adapted(base, spec(base_folder, adapter_folder))
    assert isinstance(own, TransformersEngine)
    base_pointers = {parameter.data_ptr() for parameter in base.loaded.model.parameters()}
    new = [parameter for parameter in own.loaded.model.parameters() if parameter.data_ptr() not in base_pointers]
    assert sum(each.numel() for each in new) == own.info.parameters - base.info.parameters == 4 * 2 * (32 + 24 + 48)
    listed = own.weights().weights
    assert {each.name for each in base.weights().weights} < {each.name for each in listed}
    assert sum(each.parameters for each in listed) == own.info.parameters


def test_rows_of_each_are_joined_with_their_own_only(
    base: TransformersEngine, base_folder: Path, adapter_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jobs of the base and of three strengths on one thread: each text is the one it is alone."""
    engines = {"base": base} | {
        rest: adapted(base, spec(base_folder, adapter_folder, rest)) for rest in ("", "*0.5", "*1.5")
    }
    alone = {name: finish(_text(engine, CancelToken())) for name, engine in engines.items()}
    assert len(set(alone.values())) == len(alone)
    joint = {name: _count_joint(engine, monkeypatch) for name, engine in engines.items()}
    owner = StepWorker(base)
    workers = {name: owner if engine is base else owner.beside(engine) for name, engine in engines.items()}
    gate = threading.Event()
    owner.submit("gate", "gate", lambda engine, cancel: gate.wait(PATIENCE))  # so that all wait at the same time
    tickets = [(name, each.submit(f"s{n}", "text", _text)) for n in range(3) for name, each in workers.items()]
    gate.set()
    try:
        assert all(ticket.result(PATIENCE) == alone[name] for name, ticket in tickets)
        assert all(max(sizes) == 3 for sizes in joint.values()), joint
    finally:
        owner.close()


def _text(engine: Engine, cancel: CancelToken) -> Pieces[tuple[int, ...]]:
    batch = yield from require(engine, Rows).open_batch_in_pieces([IDS], cancel=cancel, branching=False)
    tokens: list[int] = []
    for step in range(12):
        if step:
            batch.ask([tokens[-1]])
            yield
        tokens.append(int(batch.logits[0].argmax()))
    return tuple(tokens)


def _count_joint(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of steps that its passes took together."""
    rows, sizes = require(engine, Rows), list[int]()
    usual = rows.run_steps

    def run_steps(wanted: Sequence[tuple[AskedStep, int]]) -> None:
        sizes.append(len(wanted))
        usual(wanted)

    monkeypatch.setattr(engine, "run_steps", run_steps)
    return sizes


def test_a_session_has_one_request_a_slot_of_each(
    base: TransformersEngine, base_folder: Path, adapter_folder: Path
) -> None:
    owner = StepWorker(base)
    beside = owner.beside(adapted(base, spec(base_folder, adapter_folder)))
    try:
        tickets = [worker.next_row("session", "next", IDS) for worker in (owner, beside)]
        rows = [ticket.result(PATIENCE).logits for ticket in tickets]  # type: ignore[union-attr]
        assert not np.array_equal(rows[0], rows[1])
        own_rows = [worker.engine.cached_row(IDS) for worker in (owner, beside)]
        assert all(np.array_equal(row, one.logits) for row, one in zip(rows, own_rows, strict=True))  # type: ignore[union-attr]
        tree = beside.engine.inner.loaded.model  # type: ignore[attr-defined]
        beside.close()
        assert not list(tree.parameters()), "its own tensors are let go of at once"
        assert owner.next_row("session", "next", IDS[:3]).result(PATIENCE).ids == IDS[:3]
        with pytest.raises(ModelError, match="released"):
            beside.next_row("session", "next", IDS).result(PATIENCE)
    finally:
        owner.close()


def test_the_modules_are_copied_while_no_pass_has_hooks_in_them(
    base: TransformersEngine, base_folder: Path, adapter_folder: Path
) -> None:
    """Attention passes name their own attention in the config, the lens hangs hooks into layers: a copy must have neither."""
    owner = StepWorker(base)
    usual = base.loaded.model.config._attn_implementation
    stop = threading.Event()

    def passes(engine: Engine, cancel: CancelToken) -> Pieces[None]:
        while not stop.is_set():
            require(engine, Attention).attentions(IDS)
            yield
            for _ in require(engine, Hidden).lens(IDS, range(3)):
                yield

    ticket = owner.submit("session", "passes", passes)
    try:
        for _ in range(20):
            own = adapted(base, spec(base_folder, adapter_folder), owner.at_rest)
            assert isinstance(own, TransformersEngine)
            model = own.loaded.model
            assert model.config._attn_implementation == usual
            assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
        assert not ticket.done
    finally:
        stop.set()
        owner.close()


# -- the pool ----------------------------------------------------------------------------------------------------------


def test_the_pool_loads_the_base_once_for_all_its_adapters(base_folder: Path, adapter_folder: Path) -> None:
    opened: list[ModelChoice] = []

    def open_engine(choice: ModelChoice, loading: Loading) -> Engine:
        opened.append(choice)
        return make_engine(choice.spec, choice.device, choice.dtype, loading.report)

    def base_of(choice: ModelChoice) -> ModelChoice | None:
        names = base_names(choice.spec, choice.device, choice.dtype)
        return None if names is None else ModelChoice(*names)

    pool = ModelPool(
        open_engine,
        normalise=lambda choice: ModelChoice(*normal_names(choice.spec, choice.device, choice.dtype)),
        over=OverOthers(base_of, lambda choice, engine, at_rest: adapted(engine, choice.spec, at_rest)),
    )
    try:
        names = [spec(base_folder, adapter_folder, rest) for rest in ("", "*0.5", "*1.0")]
        loadings = [
            pool.request("one", ModelChoice(names[0])),
            *pool.beside("one", [ModelChoice(names[1]), ModelChoice(str(base_folder))]),
            pool.request("two", ModelChoice(names[2])),
        ]
        assert all(loading.done.wait(PATIENCE) and loading.error is None for loading in loadings)
        assert [choice.spec for choice in opened] == [str(base_folder)]
        assert loadings[3] is loadings[0]  # in other words the same
        engines = [loading.worker.engine for loading in loadings if loading.worker]
        assert len({engine.info.revision for engine in engines}) == 3
        pool.beside("one", [])  # the base is wanted by its adapter alone now
        assert pool.release_unused() == 1 and len(pool.loaded()) == 2
        worker = loadings[0].worker
        assert worker is not None and worker.next_row("one", "next", IDS).result(PATIENCE).ids == IDS
        for session in ("one", "two"):
            pool.request(session, ModelChoice(str(base_folder)))
        assert pool.release_unused() == 1 and [choice.spec for choice in pool.loaded()] == [str(base_folder)]
        assert len(opened) == 1
    finally:
        pool.close()


def test_a_failed_base_fails_its_adapter(base_folder: Path, adapter_folder: Path) -> None:
    def open_engine(choice: ModelChoice, loading: Loading) -> Engine:
        raise ModelCorrupt("The base is broken: fetch it again.")

    pool = ModelPool(open_engine, over=OverOthers(lambda choice: ModelChoice("b") if choice.spec == "a" else None))
    try:
        loading = pool.request("one", ModelChoice("a"))
        assert loading.done.wait(PATIENCE) and "broken" in str(loading.error)
    finally:
        pool.close()


# -- bases it does not belong to ---------------------------------------------------------------------------------------


def test_an_adapter_of_another_shape_is_refused(base: TransformersEngine, base_folder: Path, tmp_path: Path) -> None:
    save_llama(tmp_path / "deep", layers=3)
    save_adapter(tmp_path / "deep", tmp_path / "adapter")
    config = tmp_path / "adapter" / "adapter_config.json"
    with pytest.raises(BadInput, match="trained on .* choose it with that base"):
        adapted(base, spec(base_folder, tmp_path / "adapter"))
    config.write_text(json.dumps(json.loads(config.read_text()) | {"base_model_name_or_path": None}))
    with pytest.raises(BadInput, match=r"layers\.2.* does not have"):
        adapted(base, spec(base_folder, tmp_path / "adapter"))
    save_gpt2(tmp_path / "gpt2")
    other = make_engine(str(tmp_path / "gpt2"), device="cpu", dtype="float32")
    with pytest.raises(BadInput, match="does not have"):
        adapted(other, spec(tmp_path / "gpt2", tmp_path / "adapter"))
    other.close()


def test_layers_of_another_size_and_of_no_kind_are_refused(
    base: TransformersEngine, base_folder: Path, adapter_folder: Path
) -> None:
    adapter = read_adapter(adapter_folder)
    layer = adapter.layers[0]
    for changed, words in (
        (replace(layer, inputs=99), "99 to"),
        (replace(layer, module="model.norm"), "no linear layer"),
    ):
        with pytest.raises(BadInput, match=words):
            target(base.loaded.model, adapter, changed)
    base.loaded.model.is_quantized = True
    with pytest.raises(BadInput, match="quantised"):
        target(base.loaded.model, adapter, layer)


def test_a_server_has_no_weights_to_adapt(adapter_folder: Path) -> None:
    with pytest.raises(BadInput, match="weights in this process"):
        make_engine(f"http://localhost:9/v1+{adapter_folder}")


def test_switching_takes_no_load(base: TransformersEngine, base_folder: Path, adapter_folder: Path) -> None:
    started = time.process_time()
    for strength in (0.1, 0.2, 0.3, 0.4):
        adapted(base, spec(base_folder, adapter_folder, f"*{strength}"))
    assert time.process_time() - started < 4 * 0.1


def test_the_merged_folder_is_a_model(base_folder: Path, adapter_folder: Path, tmp_path: Path) -> None:
    folder = save_merged(spec(base_folder, adapter_folder, "*0.5"), tmp_path / "merged")
    engine = make_engine(str(folder), device="cpu", dtype="float32")
    np.testing.assert_allclose(row(engine), peft_row(base_folder, adapter_folder, 0.5), atol=1e-5)
    engine.close()
    with pytest.raises(PlaygroundError, match="cannot be kept"):
        save_merged(spec(base_folder, adapter_folder), folder / "config.json" / "below")
    with pytest.raises(ModelError, match="no adapter to merge"):
        save_merged(str(base_folder), tmp_path / "other")
