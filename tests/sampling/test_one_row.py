"""A sampler is one function and one row: a toy row registered here is found everywhere a sampler must be."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from playground.cli.options import add_sampler_options, read_settings
from playground.errors import BadSetting
from playground.sampling.chain import apply_chain, trace_row
from playground.sampling.context import Contexts, SamplingContext
from playground.sampling.export import EXPORTS, export
from playground.sampling.orders import ORDERS, appended, resolve_order
from playground.sampling.registry import PANELS, PARAMETERS, SAMPLERS, derive_tables
from playground.sampling.rows import RowDiagnostics
from playground.sampling.sampler import Sampler, real
from playground.sampling.settings import NEUTRAL, SamplerSettings
from playground.state.setup import Setup, read_setup, setup_fields

ROW = np.array([4.0, 3.0, 1.0, -np.inf], dtype=np.float32)


def drop_below(
    logits: torch.Tensor, contexts: Contexts, diagnostics: RowDiagnostics = None, /, *, toy_floor: float
) -> torch.Tensor:
    """Drop every logit below the floor; the largest always stays."""
    floor = torch.minimum(torch.tensor(toy_floor), logits.amax(-1, keepdim=True))
    for one in diagnostics or ():
        one["floor"] = toy_floor
    return logits.masked_fill(logits < floor, -torch.inf)


TOY = Sampler(
    name="toy",
    label="Toy floor",
    group="truncation",
    parameters=(real("toy_floor", "Toy floor", -50.0, (-50.0, 50.0), 0.5, (-10.0, 10.0), "Drops logits below this."),),
    apply=drop_below,
    formula=r"\text{drop } z_i < f",
    filled=r"z_i < $toy_floor = $floor",
    explain="Drops every logit below a floor.",
    source="this test",
    reference="the test below",
    panel="Truncation",
    places={"llama.cpp": 95},
    engines=("llama.cpp",),
    llama_cpp_step="toy_floor",
    aliases=("floor",),
)


@pytest.fixture
def toy() -> Iterator[SamplerSettings]:
    """Settings with the toy on, while its row is in the registry."""
    SAMPLERS[TOY.name] = TOY
    derive_tables()
    try:
        yield SamplerSettings(toy_floor=2.5, temperature=0.5)
    finally:
        del SAMPLERS[TOY.name]
        derive_tables()


def test_settings_know_it_and_forget_it(toy: SamplerSettings) -> None:
    assert toy.toy_floor == 2.5 and SamplerSettings().toy_floor == -50.0 and NEUTRAL.toy_floor == -50.0
    assert toy.active() == ("temperature", "toy") and toy.replace(toy_floor=-50).active() == ("temperature",)
    assert SamplerSettings.from_mapping(toy.to_mapping()) == toy
    with pytest.raises(BadSetting, match="toy_floor must be a number from -50 to 50"):
        SamplerSettings(toy_floor=51)


def test_it_is_gone_without_its_row() -> None:
    with pytest.raises(BadSetting, match="unknown sampling parameter"):
        SamplerSettings(toy_floor=2.5)
    assert "toy" not in ORDERS["hf"] and "toy_floor" not in PARAMETERS


def test_each_order_has_a_place_for_it(toy: SamplerSettings) -> None:
    order = ORDERS["llama.cpp"]
    assert order.index("top_p") < order.index("toy") < order.index("min_p")
    assert "toy" in appended("hf") and ORDERS["hf"][-1] == "toy"
    assert resolve_order("floor,temperature")[:1] != () and "toy" in resolve_order("floor,temperature")


def test_the_trace_says_what_it_did(toy: SamplerSettings) -> None:
    trace = trace_row(ROW, toy.replace(order="llama.cpp"), SamplingContext(()))
    stage = trace.stages[0]
    assert (stage.name, stage.kept, stage.removed, stage.params) == ("toy", 2, 1, {"toy_floor": 2.5})
    assert TOY.filled_formula(toy, stage.diagnostics) == "z_i < 2.5 = 2.5"
    fast = apply_chain(torch.from_numpy(ROW)[None], toy.replace(order="llama.cpp"), [SamplingContext(())])
    assert np.array_equal(fast[0].numpy(), trace.final_logits)


def test_a_link_carries_it(toy: SamplerSettings) -> None:
    fields = setup_fields(Setup(settings=toy))
    assert fields["toy_floor"] == "2.5"
    reading = read_setup(fields)
    assert reading.state.settings == toy and not reading.problems


def test_the_command_line_has_its_flag(toy: SamplerSettings) -> None:
    parser = argparse.ArgumentParser()
    add_sampler_options(parser)
    assert read_settings(parser.parse_args(["--toy-floor", "2.5", "--temperature", "0.5"])) == toy


def test_exports_send_it_or_warn(toy: SamplerSettings) -> None:
    for name in EXPORTS:
        result = export(name, toy, "m.gguf", "p")
        lacking = any("has no Toy floor" in warning for warning in result.warnings)
        assert lacking == (name in ("transformers", "vllm", "openai"))
        assert lacking == ("toy" not in result.code)


def test_a_panel_of_the_page_shows_it(toy: SamplerSettings) -> None:
    assert "toy_floor" in PANELS["Truncation"]
