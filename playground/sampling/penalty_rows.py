"""The registry's rows of the samplers that look back, and of the bias set by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground.sampling import penalties
from playground.sampling.formulas import Diagnostics, number, tokens
from playground.sampling.sampler import Parameter, Sampler, real, whole

_FAR = 32_768  # tokens looked back on: llama.cpp's server refuses the -1 that its command line takes for "all"
_WHOLE_CONTEXT = {"llama.cpp": {"repeat_last_n": _FAR}, "ollama": {"repeat_last_n": -1}}  # as here; their default is 64


def _biases(values: Mapping[str, Any], diagnostics: Diagnostics) -> str:
    biases = values["logit_bias"]
    shown = r",\ ".join(rf"z_{{{token}}} {bias:+g}" for token, bias in biases[:6])
    return shown + (r",\ \dots" if len(biases) > 6 else "")


def _dry(values: Mapping[str, Any], diagnostics: Diagnostics) -> str:
    longest, allowed = diagnostics.get("longest_repeat"), values["dry_allowed_length"]
    return (
        rf"z_i - {number(values['dry_multiplier'])} \cdot {number(values['dry_base'])}^{{{longest or 'n'} - {allowed}}}"
        rf"\quad ({tokens(diagnostics.get('penalised'))})"
    )


LOGIT_BIAS = Sampler(
    name="logit_bias",
    label="Logit bias",
    group="bias",
    parameters=(
        Parameter(
            "logit_bias",
            "Logit bias",
            "bias",
            (),
            -100.0,
            100.0,
            0.5,
            (-10.0, 10.0),
            "Adds a number to the logit of chosen tokens: +5 makes one 148 times likelier against the rest, -100 bans.",
            exported_as={"transformers": "sequence_bias"},
        ),
    ),
    apply=penalties.logit_bias,
    formula=r"z_i \leftarrow z_i + b_i",
    filled=_biases,
    explain="Adds a number of your choice to the logits of chosen tokens.",
    source="OpenAI API",
    reference="transformers SequenceBiasLogitsProcessor",
    panel="Penalties",
    places={"hf": 10, "vllm": 10, "llama.cpp": 10},
    engines=("transformers", "vllm", "sglang", "llama.cpp", "openai"),
    aliases=("bias",),
)

PENALTIES = (
    Sampler(
        name="repetition_penalty",
        label="Repetition penalty",
        group="penalty",
        parameters=(
            real(
                "repetition_penalty",
                "Repetition penalty",
                1.0,
                (0.1, 10.0),
                0.01,
                (1.0, 1.5),
                "Weakens every token that is in the prompt or the answer already, once each. 1 is off; 1.05 to 1.2 is "
                "usual.",
                exported_as={"llama.cpp": "repeat_penalty", "ollama": "repeat_penalty"},
                sent_when_off=dict.fromkeys(("transformers", "vllm", "sglang", "ollama"), 1.0),
            ),
        ),
        apply=penalties.repetition_penalty,
        formula=r"z_i \leftarrow \begin{cases} z_i\,\theta & z_i < 0 \\ z_i / \theta & z_i \ge 0 \end{cases}"
        r"\quad \text{for each token already in the text}",
        filled=r"z_i < 0: z_i \times $repetition_penalty,\quad z_i \ge 0: z_i / $repetition_penalty"
        r"\quad (${penalised_tokens})",
        explain="Weakens every token that already stands in the prompt or the answer, once each.",
        source="Keskar et al. 2019 (CTRL), arXiv:1909.05858",
        reference="transformers RepetitionPenaltyLogitsProcessor",
        panel="Penalties",
        places={"hf": 20, "vllm": 20, "llama.cpp": 20},
        engines=("transformers", "vllm", "sglang", "llama.cpp", "ollama"),
        llama_cpp_step="penalties",
        sent_along=_WHOLE_CONTEXT,
    ),
    Sampler(
        name="frequency_penalty",
        label="Frequency penalty",
        group="penalty",
        parameters=(
            real(
                "frequency_penalty",
                "Frequency penalty",
                0.0,
                (-2.0, 2.0),
                0.05,
                (0.0, 2.0),
                "Lowers a token's logit by this much for each time it was generated. 0 is off; below 0 invites "
                "repetition.",
                sent_when_off={"vllm": 0.0, "sglang": 0.0},
            ),
        ),
        apply=penalties.frequency_penalty,
        formula=r"z_i \leftarrow z_i - f \cdot \mathrm{count}_i",
        filled=r"z_i - $frequency_penalty \cdot \mathrm{count}_i"
        r"\quad (${penalised_tokens},\ \max \mathrm{count} = $largest_count)",
        explain="Weakens a generated token more each time it comes back; the prompt does not count.",
        source="OpenAI API; vLLM",
        reference="vLLM's rule, written out in the tests",
        panel="Penalties",
        places={"hf": 40, "vllm": 30, "llama.cpp": 30},
        engines=("vllm", "sglang", "llama.cpp", "ollama", "openai"),
        llama_cpp_step="penalties",
        sent_along=_WHOLE_CONTEXT,
    ),
    Sampler(
        name="presence_penalty",
        label="Presence penalty",
        group="penalty",
        parameters=(
            real(
                "presence_penalty",
                "Presence penalty",
                0.0,
                (-2.0, 2.0),
                0.05,
                (0.0, 2.0),
                "Lowers a token's logit by this much once it was generated at all. 0 is off.",
                sent_when_off={"vllm": 0.0, "sglang": 0.0},
            ),
        ),
        apply=penalties.presence_penalty,
        formula=r"z_i \leftarrow z_i - \pi \cdot [\mathrm{count}_i > 0]",
        filled=r"z_i - $presence_penalty\quad (${penalised_tokens})",
        explain="Weakens every token that was generated at least once; the prompt does not count.",
        source="OpenAI API; vLLM",
        reference="vLLM's rule, written out in the tests",
        panel="Penalties",
        places={"hf": 50, "vllm": 40, "llama.cpp": 40},
        engines=("vllm", "sglang", "llama.cpp", "ollama", "openai"),
        llama_cpp_step="penalties",
        sent_along=_WHOLE_CONTEXT,
    ),
    Sampler(
        name="no_repeat_ngram_size",
        label="No-repeat n-gram",
        group="penalty",
        parameters=(
            whole(
                "no_repeat_ngram_size",
                "No-repeat n-gram size",
                0,
                (0, 1000),
                (0, 6),
                "Forbids any run of this many tokens to appear twice. 0 is off; 1 forbids every token already in the "
                "text.",
            ),
        ),
        apply=penalties.no_repeat_ngram_size,
        formula=r"z_i \leftarrow -\infty \quad \text{if } i \text{ completes an } n\text{-gram already in the text}",
        filled=r"n = $no_repeat_ngram_size: z_i \leftarrow -\infty\quad (${banned_tokens})",
        explain="Forbids any token that would write the same run of n tokens a second time.",
        source="Paulus et al. 2017, arXiv:1705.04304",
        reference="transformers NoRepeatNGramLogitsProcessor",
        panel="Penalties",
        places={"hf": 30},
        engines=("transformers",),
        aliases=("no_repeat_ngram",),
    ),
    Sampler(
        name="dry",
        label="DRY",
        group="penalty",
        parameters=(
            real(
                "dry_multiplier",
                "DRY multiplier",
                0.0,
                (0.0, 100.0),
                0.05,
                (0.0, 2.0),
                "How strongly to punish continuing a passage that was written before. 0 is off; 0.8 is usual.",
            ),
            real(
                "dry_base",
                "DRY base",
                1.75,
                (1.0, 10.0),
                0.05,
                (1.0, 3.0),
                "How fast the punishment grows with each further repeated token.",
            ),
            whole(
                "dry_allowed_length",
                "DRY allowed length",
                2,
                (1, 1000),
                (1, 10),
                "Repeats shorter than this many tokens go unpunished.",
            ),
            Parameter(
                "dry_sequence_breakers",
                "DRY sequence breakers",
                "strings",
                ("\n", ":", '"', "*"),
                0,
                0,
                0,
                (),
                "Strings that end a passage: a repeat never reaches across one of them.",
                exported_as={"llama-completion": "--dry-sequence-breaker"},
            ),
        ),
        apply=penalties.dry,
        formula=r"z_i \leftarrow z_i - \mathrm{multiplier} \cdot \mathrm{base}^{\,n - \mathrm{allowed}}"
        r"\quad \text{if } i \text{ extends a repeat of } n \ge \mathrm{allowed} \text{ tokens}",
        filled=_dry,
        explain="Punishes continuing a passage that was written before, the harder the longer the repeat.",
        source="p-e-w 2024; llama.cpp",
        reference="llama.cpp's rule, written out in the tests",
        panel="Penalties",
        places={"hf": 60, "llama.cpp": 50},
        engines=("llama.cpp",),
        llama_cpp_step="dry",
        sent_along={"llama.cpp": {"dry_penalty_last_n": _FAR}},
    ),
)
