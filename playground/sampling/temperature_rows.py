"""The registry's rows of the temperatures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground.sampling import temperature
from playground.sampling.formulas import Diagnostics, number
from playground.sampling.sampler import Sampler, real


def _temperature(values: Mapping[str, Any], diagnostics: Diagnostics) -> str:
    if values["temperature"] == 0:
        return r"T = 0:\ \text{keep}\ \arg\max_i z_i"
    return rf"z_i / {number(values['temperature'])}"


TEMPERATURES = (
    Sampler(
        name="temperature",
        label="Temperature",
        group="temperature",
        parameters=(
            real(
                "temperature",
                "Temperature",
                1.0,
                (0.0, 10.0),
                0.05,
                (0.0, 2.0),
                "Divides all logits. Below 1 the likely tokens gain, above 1 the unlikely; 0 always takes the likeliest.",
                exported_as={"llama-completion": "--temp"},
                sent_when_off=dict.fromkeys(("transformers", "vllm", "sglang", "llama.cpp", "ollama", "openai"), 1.0),
            ),
        ),
        apply=temperature.temperature,
        formula=r"z_i \leftarrow z_i / T",
        filled=_temperature,
        explain="Sharpens the distribution below 1, flattens it above 1; 0 always takes the likeliest token.",
        source="Ackley, Hinton and Sejnowski 1985",
        reference="transformers TemperatureLogitsWarper",
        panel="Main",
        places={"hf": 70, "vllm": 50, "llama.cpp": 120},
        engines=("transformers", "vllm", "sglang", "llama.cpp", "ollama", "openai"),
        llama_cpp_step="temperature",
    ),
    Sampler(
        name="dynatemp",
        label="Dynamic temperature",
        group="temperature",
        parameters=(
            real(
                "dynatemp_range",
                "Dynamic temperature range",
                0.0,
                (0.0, 10.0),
                0.05,
                (0.0, 2.0),
                "Lets the temperature move this far either way: cooler where the model is sure, else warmer. 0 is off.",
            ),
            real(
                "dynatemp_exponent",
                "Dynamic temperature exponent",
                1.0,
                (0.01, 10.0),
                0.1,
                (0.1, 3.0),
                "Bends how entropy maps to temperature: above 1 stays cool for longer.",
                exported_as={"llama-completion": "--dynatemp-exp"},
            ),
        ),
        apply=temperature.dynatemp,
        formula=r"T = T_{\min} + (T_{\max} - T_{\min}) \left(\frac{H}{\ln n}\right)^{\mathrm{exponent}}, \quad"
        r"T_{\min,\max} = \max(0,\, T \mp \mathrm{range})",
        filled=r"T = $low + ($high - $low) \left(\frac{$entropy}{\ln $alive}"
        r"\right)^{$dynatemp_exponent} = $effective_temperature",
        explain="Sets the temperature from the entropy: cool where the model is sure, warm where it is not.",
        source="llama.cpp",
        reference="llama.cpp's rule, written out in the tests",
        panel="Adaptive",
        places={"llama.cpp": 130},
        engines=("llama.cpp",),
        llama_cpp_step="temperature",
        reads=("temperature",),  # the middle of its range
    ),
)
