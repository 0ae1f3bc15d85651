"""All samplers, as one visible dict: a new one is a pure function, a row here and a parametrised test.

A row says what the sampler computes, where it comes from and which independent implementation the tests hold it
against. This module knows no order (``orders.py``) and applies nothing (``chain.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import torch

from playground.sampling import formulas, penalties, temperature, truncation
from playground.sampling.context import SamplingContext
from playground.sampling.parameters import PARAMETERS, Parameter
from playground.sampling.rows import FactValue, RowFacts

if TYPE_CHECKING:
    from playground.sampling.settings import SamplerSettings

__all__ = ["PARAMETERS", "SAMPLERS", "Group", "Parameter", "Sampler"]

Group = Literal["bias", "penalty", "temperature", "truncation"]


class Apply(Protocol):
    """(batch, vocab) float32 logits in, the same out. Never changes its input."""

    def __call__(
        self,
        logits: torch.Tensor,
        settings: SamplerSettings,
        contexts: Sequence[SamplingContext],
        facts: RowFacts = None,
        /,
    ) -> torch.Tensor: ...


class HasFacts(Protocol):
    """A stage of a trace, as far as formulas are concerned."""

    @property
    def facts(self) -> Mapping[str, FactValue]: ...


@dataclass(frozen=True, slots=True)
class Sampler:
    """One step of the chain. ``parameters[0]`` is its switch: at its neutral value the sampler does nothing.

    ``formula`` is LaTeX; ``filled_formula`` gives it with a stage's numbers. ``oracle`` names the implementation that
    is not ours with which the tests compare.
    """

    name: str
    label: str
    group: Group
    parameters: tuple[Parameter, ...]
    apply: Apply
    formula: str
    fill: formulas.Fill
    explain: str
    source: str
    oracle: str
    off: Callable[[SamplerSettings], bool] | None = None  # where "neutral" is more than one value of the switch

    def is_neutral(self, settings: SamplerSettings) -> bool:
        """Whether these settings make the sampler do nothing."""
        if self.off is not None:
            return self.off(settings)
        switch = self.parameters[0]
        return bool(getattr(settings, switch.name) == switch.neutral)

    def filled_formula(self, settings: SamplerSettings, stage: HasFacts) -> str:
        """LaTeX of the formula with the values it had at this stage."""
        return self.fill(settings, stage.facts)


def _parameters(*names: str) -> tuple[Parameter, ...]:
    return tuple(PARAMETERS[name] for name in names)


_ALL = (
    Sampler(
        "logit_bias",
        "Logit bias",
        "bias",
        _parameters("logit_bias"),
        penalties.logit_bias,
        r"z_i \leftarrow z_i + b_i",
        formulas.logit_bias,
        "Adds a number of your choice to the logits of chosen tokens.",
        "OpenAI API",
        "transformers SequenceBiasLogitsProcessor",
    ),
    Sampler(
        "repetition_penalty",
        "Repetition penalty",
        "penalty",
        _parameters("repetition_penalty"),
        penalties.repetition_penalty,
        r"z_i \leftarrow \begin{cases} z_i\,\theta & z_i < 0 \\ z_i / \theta & z_i \ge 0 \end{cases}"
        r"\quad \text{for each token already in the text}",
        formulas.repetition_penalty,
        "Weakens every token that already stands in the prompt or the answer, once each.",
        "Keskar et al. 2019 (CTRL), arXiv:1909.05858",
        "transformers RepetitionPenaltyLogitsProcessor",
    ),
    Sampler(
        "frequency_penalty",
        "Frequency penalty",
        "penalty",
        _parameters("frequency_penalty"),
        penalties.frequency_penalty,
        r"z_i \leftarrow z_i - f \cdot \mathrm{count}_i",
        formulas.frequency_penalty,
        "Weakens a generated token more each time it comes back; the prompt does not count.",
        "OpenAI API; vLLM",
        "vLLM's rule, written out in the tests",
    ),
    Sampler(
        "presence_penalty",
        "Presence penalty",
        "penalty",
        _parameters("presence_penalty"),
        penalties.presence_penalty,
        r"z_i \leftarrow z_i - \pi \cdot [\mathrm{count}_i > 0]",
        formulas.presence_penalty,
        "Weakens every token that was generated at least once; the prompt does not count.",
        "OpenAI API; vLLM",
        "vLLM's rule, written out in the tests",
    ),
    Sampler(
        "no_repeat_ngram_size",
        "No-repeat n-gram",
        "penalty",
        _parameters("no_repeat_ngram_size"),
        penalties.no_repeat_ngram_size,
        r"z_i \leftarrow -\infty \quad \text{if } i \text{ completes an } n\text{-gram already in the text}",
        formulas.no_repeat_ngram_size,
        "Forbids any token that would write the same run of n tokens a second time.",
        "Paulus et al. 2017, arXiv:1705.04304",
        "transformers NoRepeatNGramLogitsProcessor",
    ),
    Sampler(
        "dry",
        "DRY",
        "penalty",
        _parameters("dry_multiplier", "dry_base", "dry_allowed_length", "dry_sequence_breakers"),
        penalties.dry,
        r"z_i \leftarrow z_i - \mathrm{multiplier} \cdot \mathrm{base}^{\,n - \mathrm{allowed}}"
        r"\quad \text{if } i \text{ extends a repeat of } n \ge \mathrm{allowed} \text{ tokens}",
        formulas.dry,
        "Punishes continuing a passage that was written before, the harder the longer the repeat.",
        "p-e-w 2024; llama.cpp",
        "llama.cpp's rule, written out in the tests",
    ),
    Sampler(
        "temperature",
        "Temperature",
        "temperature",
        _parameters("temperature"),
        temperature.temperature,
        r"z_i \leftarrow z_i / T",
        formulas.temperature,
        "Sharpens the distribution below 1, flattens it above 1; 0 always takes the likeliest token.",
        "Ackley, Hinton and Sejnowski 1985",
        "transformers TemperatureLogitsWarper",
    ),
    Sampler(
        "dynatemp",
        "Dynamic temperature",
        "temperature",
        _parameters("dynatemp_range", "dynatemp_exponent"),
        temperature.dynatemp,
        r"T = T_{\min} + (T_{\max} - T_{\min}) \left(\frac{H}{\ln n}\right)^{\mathrm{exponent}}, \quad"
        r"T_{\min,\max} = \max(0,\, T \mp \mathrm{range})",
        formulas.dynatemp,
        "Sets the temperature from the entropy: cool where the model is sure, warm where it is not.",
        "llama.cpp",
        "llama.cpp's rule, written out in the tests",
    ),
    Sampler(
        "top_h",
        "Top-h",
        "truncation",
        _parameters("top_h"),
        truncation.top_h,
        r"\text{keep the prefix while } -\sum_{j \le i} p_j \ln p_j \le h \cdot H",
        formulas.top_h,
        "Keeps the likeliest tokens while their share of the entropy stays within a budget.",
        "Potraghloo et al. 2025, arXiv:2509.02510",
        "transformers TopHLogitsWarper",
    ),
    Sampler(
        "top_k",
        "Top-k",
        "truncation",
        _parameters("top_k"),
        truncation.top_k,
        r"\text{drop } z_i < z_{(k)}",
        formulas.top_k,
        "Keeps the k likeliest tokens, and those tied with the last of them.",
        "Fan et al. 2018, arXiv:1805.04833",
        "transformers TopKLogitsWarper",
    ),
    Sampler(
        "top_p",
        "Top-p",
        "truncation",
        _parameters("top_p"),
        truncation.top_p,
        r"\text{keep the smallest prefix with } \sum_{j \le i} p_{(j)} \ge p",
        formulas.top_p,
        "Keeps the fewest likeliest tokens that together reach a probability, the one that crosses it included.",
        "Holtzman et al. 2019, arXiv:1904.09751",
        "transformers TopPLogitsWarper",
    ),
    Sampler(
        "min_p",
        "Min-p",
        "truncation",
        _parameters("min_p"),
        truncation.min_p,
        r"\text{drop } p_i < m \cdot p_{\max}",
        formulas.min_p,
        "Drops every token less likely than a fraction of the likeliest.",
        "Nguyen et al. 2024, arXiv:2407.01082",
        "transformers MinPLogitsWarper",
    ),
    Sampler(
        "typical_p",
        "Typical-p",
        "truncation",
        _parameters("typical_p"),
        truncation.typical_p,
        r"\text{order by } \lvert -\ln p_i - H \rvert, \text{ keep to mass } \tau",
        formulas.typical_p,
        "Keeps the tokens whose surprise is nearest to the average surprise; the likeliest may go.",
        "Meister et al. 2022, arXiv:2202.00666",
        "transformers TypicalLogitsWarper",
    ),
    Sampler(
        "epsilon_cutoff",
        "Epsilon cutoff",
        "truncation",
        _parameters("epsilon_cutoff"),
        truncation.epsilon_cutoff,
        r"\text{drop } p_i < \varepsilon",
        formulas.epsilon_cutoff,
        "Drops every token less likely than a fixed probability.",
        "Hewitt et al. 2022, arXiv:2210.15191",
        "transformers EpsilonLogitsWarper",
    ),
    Sampler(
        "eta_cutoff",
        "Eta cutoff",
        "truncation",
        _parameters("eta_cutoff"),
        truncation.eta_cutoff,
        r"\text{drop } p_i < \min(\varepsilon,\, \sqrt{\varepsilon}\, e^{-H})",
        formulas.eta_cutoff,
        "Drops unlikely tokens below a cutoff that loosens where the model is unsure.",
        "Hewitt et al. 2022, arXiv:2210.15191",
        "transformers EtaLogitsWarper",
    ),
    Sampler(
        "top_n_sigma",
        "Top-n-sigma",
        "truncation",
        _parameters("top_n_sigma"),
        truncation.top_n_sigma,
        r"\text{drop } z_i < z_{\max} - n\,\sigma",
        formulas.top_n_sigma,
        "Keeps logits within n standard deviations of the largest.",
        "Tang et al. 2024, arXiv:2411.07641; llama.cpp",
        "llama.cpp's rule, written out in the tests",
        off=lambda settings: settings.top_n_sigma <= 0,
    ),
    Sampler(
        "xtc",
        "XTC",
        "truncation",
        _parameters("xtc_probability", "xtc_threshold"),
        truncation.xtc,
        r"\text{if } u \le P: \text{ drop every } p_i \ge t \text{ but the least likely of them}",
        formulas.xtc,
        "Now and then excludes the top choices, so that a good but less obvious one is taken.",
        "p-e-w 2024; llama.cpp",
        "llama.cpp's rule, written out in the tests",
        off=lambda settings: settings.xtc_probability == 0 or settings.xtc_threshold > 0.5,
    ),
    Sampler(
        "mirostat",
        "Mirostat 2",
        "truncation",
        _parameters("mirostat_tau", "mirostat_eta"),
        truncation.mirostat,
        r"\text{drop } -\log_2 p_i > \mu, \quad \mu \leftarrow \mu - \eta\,(\text{surprise} - \tau)",
        formulas.mirostat,
        "Steers the surprise of the text towards a target; while on, it replaces the other truncation samplers.",
        "Basu et al. 2021, arXiv:2007.14966; llama.cpp",
        "llama.cpp's rule, written out in the tests",
    ),
)

SAMPLERS: dict[str, Sampler] = {sampler.name: sampler for sampler in _ALL}
