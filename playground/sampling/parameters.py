"""Every number and list a person can set, with its range, its neutral value and what it does in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["float", "int", "bias", "strings"]
Value = float | int | tuple[tuple[int, float], ...] | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One setting. ``name`` is the field of ``SamplerSettings`` and, with dashes, the command line's flag.

    ``low`` and ``high`` bound what is accepted (inclusive); ``usual`` is the span people work in, the ends of a slider.
    ``log_scale`` says that equal steps of a slider should be equal ratios. Bounds of a "bias" are those of each value;
    a "strings" parameter has none.
    """

    name: str
    label: str
    kind: Kind
    neutral: Value
    low: float
    high: float
    step: float
    usual: tuple[float, ...]
    help: str
    log_scale: bool = False

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")


def _real(
    name: str,
    label: str,
    neutral: float,
    bounds: tuple[float, float],
    step: float,
    usual: tuple[float, float],
    help: str,
    *,
    log_scale: bool = False,
) -> Parameter:
    return Parameter(name, label, "float", neutral, bounds[0], bounds[1], step, usual, help, log_scale)


def _whole(
    name: str,
    label: str,
    neutral: int,
    bounds: tuple[int, int],
    usual: tuple[int, int],
    help: str,
    *,
    log: bool = False,
) -> Parameter:
    return Parameter(name, label, "int", neutral, bounds[0], bounds[1], 1, usual, help, log)


_ALL = (
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
    ),
    _real(
        "repetition_penalty",
        "Repetition penalty",
        1.0,
        (0.1, 10.0),
        0.01,
        (1.0, 1.5),
        "Weakens every token that is in the prompt or the answer already, once each. 1 is off; 1.05 to 1.2 is usual.",
    ),
    _real(
        "frequency_penalty",
        "Frequency penalty",
        0.0,
        (-2.0, 2.0),
        0.05,
        (0.0, 2.0),
        "Lowers a token's logit by this much for each time it was generated. 0 is off; below 0 invites repetition.",
    ),
    _real(
        "presence_penalty",
        "Presence penalty",
        0.0,
        (-2.0, 2.0),
        0.05,
        (0.0, 2.0),
        "Lowers a token's logit by this much once it was generated at all. 0 is off.",
    ),
    _whole(
        "no_repeat_ngram_size",
        "No-repeat n-gram size",
        0,
        (0, 1000),
        (0, 6),
        "Forbids any run of this many tokens to appear twice. 0 is off; 1 forbids every token already in the text.",
    ),
    _real(
        "dry_multiplier",
        "DRY multiplier",
        0.0,
        (0.0, 100.0),
        0.05,
        (0.0, 2.0),
        "How strongly to punish continuing a passage that was written before. 0 is off; 0.8 is usual.",
    ),
    _real(
        "dry_base",
        "DRY base",
        1.75,
        (1.0, 10.0),
        0.05,
        (1.0, 3.0),
        "How fast the punishment grows with each further repeated token.",
    ),
    _whole(
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
    ),
    _real(
        "temperature",
        "Temperature",
        1.0,
        (0.0, 10.0),
        0.05,
        (0.0, 2.0),
        "Divides all logits. Below 1 the likely tokens gain, above 1 the unlikely; 0 always takes the likeliest.",
    ),
    _real(
        "dynatemp_range",
        "Dynamic temperature range",
        0.0,
        (0.0, 10.0),
        0.05,
        (0.0, 2.0),
        "Lets the temperature move this far either way: cooler where the model is sure, else warmer. 0 is off.",
    ),
    _real(
        "dynatemp_exponent",
        "Dynamic temperature exponent",
        1.0,
        (0.01, 10.0),
        0.1,
        (0.1, 3.0),
        "Bends how entropy maps to temperature: above 1 stays cool for longer.",
    ),
    _real(
        "top_h",
        "Top-h",
        1.0,
        (0.0, 1.0),
        0.01,
        (0.1, 1.0),
        "Keeps the likeliest tokens while their share of the entropy stays within this. 1 is off; 0.4 is usual.",
    ),
    _whole(
        "top_k",
        "Top-k",
        0,
        (0, 1_000_000),
        (0, 200),
        "Keeps the k likeliest tokens. 0 is off; 1 is greedy; 40 or 50 are common defaults.",
        log=True,
    ),
    _real(
        "top_p",
        "Top-p",
        1.0,
        (0.0, 1.0),
        0.01,
        (0.0, 1.0),
        "Keeps the fewest likeliest tokens that together reach this probability. 1 is off; 0.9 to 0.95 is usual.",
    ),
    _real(
        "min_p",
        "Min-p",
        0.0,
        (0.0, 1.0),
        0.005,
        (0.0, 0.5),
        "Drops tokens less likely than this fraction of the likeliest. 0 is off; 0.01 to 0.2 is usual.",
    ),
    _real(
        "typical_p",
        "Typical-p",
        1.0,
        (0.0, 1.0),
        0.01,
        (0.0, 1.0),
        "Keeps the tokens whose surprise is nearest to the average surprise, up to this mass. 1 is off.",
    ),
    _real(
        "epsilon_cutoff",
        "Epsilon cutoff",
        0.0,
        (0.0, 0.999),
        0.0001,
        (0.0, 0.01),
        "Drops tokens less likely than this probability. 0 is off; 0.0003 to 0.0009 is usual.",
        log_scale=True,
    ),
    _real(
        "eta_cutoff",
        "Eta cutoff",
        0.0,
        (0.0, 0.999),
        0.0001,
        (0.0, 0.01),
        "Like the epsilon cutoff, but looser where the model is unsure. 0 is off; 0.0003 to 0.004 is usual.",
        log_scale=True,
    ),
    _real(
        "top_n_sigma",
        "Top-n-sigma",
        -1.0,
        (-1.0, 100.0),
        0.1,
        (0.0, 5.0),
        "Keeps logits within this many standard deviations of the largest. -1 or 0 is off; 1 to 2 is usual.",
    ),
    _real(
        "xtc_probability",
        "XTC probability",
        0.0,
        (0.0, 1.0),
        0.05,
        (0.0, 1.0),
        "How often to exclude the top choices. 0 is off; 0.5 is usual.",
    ),
    _real(
        "xtc_threshold",
        "XTC threshold",
        0.1,
        (0.0, 1.0),
        0.01,
        (0.0, 0.5),
        "A top choice has at least this probability; the least likely of them stays. Above 0.5 XTC does nothing.",
    ),
    _real(
        "mirostat_tau",
        "Mirostat tau",
        0.0,
        (0.0, 100.0),
        0.1,
        (0.0, 10.0),
        "The surprise per token to steer towards, in bits. 0 is off; 5 is usual. On, it replaces all other truncation.",
    ),
    _real(
        "mirostat_eta",
        "Mirostat eta",
        0.1,
        (0.0, 10.0),
        0.01,
        (0.0, 1.0),
        "How fast Mirostat corrects itself after each token.",
    ),
)

PARAMETERS: dict[str, Parameter] = {parameter.name: parameter for parameter in _ALL}
