"""The "Try this" buttons of the Best-of-N page: each sets up a run, starts it and says what to look at."""

from __future__ import annotations

from typing import Any

from playground.sampling.settings import NEUTRAL, SamplerSettings
from playground.state.best_of_n import FIRST_WORD
from playground.state.setup import DEFAULT_PROMPT
from playground.ui.best_of_n_page.session import PendingAction
from playground.ui.kit.page import Experiment


def _experiment(
    label: str,
    shows: str,
    look: str,
    prompt: str,
    settings: SamplerSettings,
    state: dict[str, Any],
    section: str = "candidates",
    **setup: Any,
) -> Experiment:
    return Experiment(
        label,
        shows,
        look,
        {"prompt": prompt, "settings": settings, **setup},
        state,
        section,
        (PendingAction("run"),),
    )


EXPERIMENTS: dict[str, Experiment] = {
    "bland": _experiment(
        "The bland winner",
        "Average log-probability chooses the dullest of sixteen stories",
        "Open Rankings: the winner by average log-probability is the most expected text, often a repetitive one; the winner by "
        "the sum is the shortest. Neither says which one you would want to read.",
        "Write one sentence about the sea.",
        NEUTRAL.replace(temperature=1.1),
        {
            "n": 16,
            "max_new_tokens": 32,
            "rules": ("avg-logprob", "sum-logprob", "length-norm", "self-certainty", "length:8-20w"),
            "reference": "",
            "answer_pattern": "whole",
        },
        "rankings",
        chat=True,
    ),
    "vote": _experiment(
        "A vote on arithmetic",
        "Sixteen attempts at a sum, and what the majority says",
        "Single answers are shaky; the vote is steadier than any of them, if the commonest answer is right. Watch the curve as N "
        "grows.",
        "Question: What is 7 + 6?\nAnswer: 13\n\nQuestion: What is 8 + 9?\nAnswer:",
        NEUTRAL.replace(temperature=1.0),
        {
            "n": 16,
            "max_new_tokens": 6,
            "stop_strings": ("\n",),
            "rules": ("avg-logprob", "self-certainty", "math"),
            "reference": "17",
            "answer_pattern": "number",
        },
        "voting",
        seed=2,
    ),
    "json": _experiment(
        "Keep the JSON that parses",
        "A verifier needs no taste: it throws out what no parser reads",
        "Under Rankings, Combine rules: let only valid JSON through, then rank by log-probability. The best text by "
        "log-probability alone may not parse.",
        'As JSON.\nBo, 41, Oslo: {"name": "Bo", "age": 41, "city": "Oslo"}\nAda, 36, London:',
        NEUTRAL.replace(temperature=1.2),
        {
            "n": 16,
            "max_new_tokens": 28,
            "stop_strings": ("\n",),
            "rules": ("avg-logprob", "json", "json-equals"),
            "reference": '{"name": "Ada", "age": 36, "city": "London"}',
            "answer_pattern": "whole",
        },
        "rankings",
    ),
    "temperatures": _experiment(
        "A temperature schedule",
        "One run whose candidates are drawn at five temperatures",
        "The column “Made by” says each candidate's temperature. Cool ones are alike and likely, warm ones differ; the "
        "reference is found at more than one of them.",
        DEFAULT_PROMPT,
        NEUTRAL,
        {
            "n": 15,
            "max_new_tokens": 16,
            "temperatures": "0.3, 0.7, 1, 1.3, 1.6",
            "reference": "Paris",
            "answer_pattern": FIRST_WORD,
        },
    ),
}
