"""The samplers' formulas with the numbers of one stage filled in, as LaTeX. Text only; nothing is computed twice."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from playground.sampling.rows import FactValue

if TYPE_CHECKING:
    from playground.sampling.settings import SamplerSettings

Facts = Mapping[str, FactValue]
Fill = Callable[["SamplerSettings", Facts], str]


def number(value: FactValue | None) -> str:
    """A number for a formula: four significant digits, powers of ten for the very small, a dash where unknown."""
    if not isinstance(value, (int, float)):
        return r"\text{–}"
    if isinstance(value, int):
        return str(value)
    if math.isnan(value):
        return r"\text{–}"
    if math.isinf(value):
        return r"\infty" if value > 0 else r"-\infty"
    if value != 0 and not 1e-4 <= abs(value) < 1e6:
        mantissa, exponent = f"{value:.2e}".split("e")
        return rf"{mantissa} \times 10^{{{int(exponent)}}}"
    return f"{value:.4g}"


def _tokens(count: FactValue | None) -> str:
    return rf"\text{{{count if count is not None else '–'} token{'' if count == 1 else 's'}}}"


def logit_bias(settings: SamplerSettings, facts: Facts) -> str:
    shown = r",\ ".join(rf"z_{{{token}}} {bias:+g}" for token, bias in settings.logit_bias[:6])
    return shown + (r",\ \dots" if len(settings.logit_bias) > 6 else "")


def repetition_penalty(settings: SamplerSettings, facts: Facts) -> str:
    theta = number(settings.repetition_penalty)
    return rf"z_i < 0: z_i \times {theta},\quad z_i \ge 0: z_i / {theta}\quad ({_tokens(facts.get('penalised'))})"


def frequency_penalty(settings: SamplerSettings, facts: Facts) -> str:
    largest = number(facts.get("largest_count"))
    return (
        rf"z_i - {number(settings.frequency_penalty)} \cdot \mathrm{{count}}_i"
        rf"\quad ({_tokens(facts.get('penalised'))},\ \max \mathrm{{count}} = {largest})"
    )


def presence_penalty(settings: SamplerSettings, facts: Facts) -> str:
    return rf"z_i - {number(settings.presence_penalty)}\quad ({_tokens(facts.get('penalised'))})"


def no_repeat_ngram_size(settings: SamplerSettings, facts: Facts) -> str:
    return rf"n = {settings.no_repeat_ngram_size}: z_i \leftarrow -\infty\quad ({_tokens(facts.get('banned'))})"


def dry(settings: SamplerSettings, facts: Facts) -> str:
    longest = facts.get("longest_repeat")
    exponent = f"{longest} - {settings.dry_allowed_length}" if longest else f"n - {settings.dry_allowed_length}"
    return (
        rf"z_i - {number(settings.dry_multiplier)} \cdot {number(settings.dry_base)}^{{{exponent}}}"
        rf"\quad ({_tokens(facts.get('penalised'))})"
    )


def temperature(settings: SamplerSettings, facts: Facts) -> str:
    if settings.temperature == 0:
        return r"T = 0:\ \text{keep}\ \arg\max_i z_i"
    return rf"z_i / {number(settings.temperature)}"


def dynatemp(settings: SamplerSettings, facts: Facts) -> str:
    low, high = number(facts.get("low")), number(facts.get("high"))
    entropy, alive = number(facts.get("entropy")), number(facts.get("alive"))
    return (
        rf"T = {low} + ({high} - {low}) \left(\frac{{{entropy}}}{{\ln {alive}}}"
        rf"\right)^{{{number(settings.dynatemp_exponent)}}} = {number(facts.get('effective_temperature'))}"
    )


def top_h(settings: SamplerSettings, facts: Facts) -> str:
    return rf"{number(facts.get('entropy_spent'))} \le h \cdot H = {number(facts.get('entropy_budget'))}"


def top_k(settings: SamplerSettings, facts: Facts) -> str:
    return rf"z_i < z_{{({settings.top_k})}} = {number(facts.get('cutoff_logit'))}"


def top_p(settings: SamplerSettings, facts: Facts) -> str:
    return (
        rf"\sum p = {number(facts.get('kept_mass'))} \ge {number(settings.top_p)},"
        rf"\quad p_{{\text{{crossing}}}} = {number(facts.get('crossing_prob'))}"
    )


def min_p(settings: SamplerSettings, facts: Facts) -> str:
    return (
        rf"p_i < m \cdot p_{{\max}} = {number(settings.min_p)} \times {number(facts.get('max_prob'))}"
        rf" = {number(facts.get('cutoff_prob'))}"
    )


def typical_p(settings: SamplerSettings, facts: Facts) -> str:
    return (
        rf"\lvert -\ln p_i - {number(facts.get('entropy'))} \rvert \le {number(facts.get('cutoff_distance'))},"
        rf"\quad \tau = {number(settings.typical_p)}"
    )


def epsilon_cutoff(settings: SamplerSettings, facts: Facts) -> str:
    return rf"p_i < {number(settings.epsilon_cutoff)}"


def eta_cutoff(settings: SamplerSettings, facts: Facts) -> str:
    epsilon = number(settings.eta_cutoff)
    return (
        rf"p_i < \min({epsilon},\ \sqrt{{{epsilon}}}\, e^{{-{number(facts.get('entropy'))}}})"
        rf" = {number(facts.get('cutoff_prob'))}"
    )


def top_n_sigma(settings: SamplerSettings, facts: Facts) -> str:
    return (
        rf"z_i < {number(facts.get('max_logit'))} - {number(settings.top_n_sigma)} \times {number(facts.get('sigma'))}"
        rf" = {number(facts.get('cutoff_logit'))}"
    )


def xtc(settings: SamplerSettings, facts: Facts) -> str:
    relation = r"\le" if facts.get("acted") else ">"
    return (
        rf"u = {number(facts.get('u'))} {relation} {number(settings.xtc_probability)},"
        rf"\quad {_tokens(facts.get('above_threshold'))}\ \text{{with}}\ p_i \ge {number(settings.xtc_threshold)}"
    )


def mirostat(settings: SamplerSettings, facts: Facts) -> str:
    return rf"-\log_2 p_i > \mu = {number(facts.get('mu'))}\quad (p_i < {number(facts.get('cutoff_prob'))})"
