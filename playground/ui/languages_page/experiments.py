"""What the page can be set up for. Counts in ``look`` are those of the tokenizers that the set-up installs; a test holds them."""

from __future__ import annotations

from playground.ui.kit.page import Experiment

EXPERIMENTS = {
    "digits": Experiment(
        "Numbers",
        "One number as single digits, in threes and in pairs",
        "The bundled model, Qwen and Gemma spend a token on each digit. GPT's and Llama's take three from the left, so the piece "
        "314 stands for 3,140,000 in one of these numbers and for ten times that in the other; RWKV's takes two. A model does "
        "its sums on what it is given here.",
        state={"sentence": "We sold 3141592 loaves in 1999 and 31415926 in 2024: 31 × 271828 = 8426668."},
        section="strips",
    ),
    "bytes": Experiment(
        "Down to bytes",
        "Characters that no vocabulary has",
        "One family of four is seven code points and 25 bytes; runes and hieroglyphs are in hardly any list. What a vocabulary "
        "lacks it spells out in bytes, which are marked: a token is then a part of a character, and no letter of any language.",
        state={"sentence": "👩‍👩‍👧‍👦 was here. ᚠᛇᚻ 𓂀𓅓"},
        section="strips",
    ),
    "burmese": Experiment(
        "The same words in Burmese",
        "What a script costs that a vocabulary hardly knows",
        "The declaration takes 21.8 times the English tokens with the bundled model's vocabulary and 3.2 times with Gemma's. "
        "Waiting, the part of the context that is used up, and money grow alike.",
        state={"language": "mya", "tokenizer": "smollm2", "beside": "gemma3"},
        section="costs",
    ),
}
