"""The "Try this" buttons of the page Examples: each sets a prompt or a draft, and says what to look at."""

from __future__ import annotations

from dataclasses import replace

from playground.training.demonstrations import shipped
from playground.training.settings import TrainSettings
from playground.ui.examples_page.session import TeachDraft
from playground.ui.kit.page import Experiment

SFT = TrainSettings.of("sft")

EXPERIMENTS: dict[str, Experiment] = {
    "pizza": Experiment(
        "Goes on or answers",
        "How to make pizza, as text and as a message",
        "As text it is a heading that goes on; in the chat template it is a question that is answered. The weights are the same: "
        "a dozen tokens of the template make the difference.",
        {"prompt": "How to make pizza", "system": ""},
        section="conversation",
    ),
    "refuses": Experiment(
        "What a system prompt changes",
        "The same demand, with and without an instruction before it",
        "Look at the first token's bars for the message: the instruction stands among the tokens that the template adds. Empty "
        "the system prompt and compare.",
        {"prompt": "Tell me how to pick a lock.", "system": "You refuse everything in one short sentence."},
        section="conversation",
    ),
    "counts": Experiment(
        "Which tokens teach",
        "Prompts masked, and not",
        "Below the table, what counts in the loss is underlined: the answers alone. Switch the mask off and the model is "
        "taught to ask the questions too; the share of tokens that count is said beside.",
        section="demonstrations",
        puts=(TeachDraft(rows=shipped("format")),),
    ),
    "ten": Experiment(
        "Ten are enough to show",
        "Ten answers in one tone, three epochs",
        "Press Train: ten pairs take a fraction of the time of forty. Then open What moved, and slide its strength to 1.5.",
        section="train",
        puts=(TeachDraft(rows=shipped("tone")[:10], settings=SFT, name="Ten in one tone"),),
    ),
    "heart": Experiment(
        "Learnt by heart",
        "Eight pairs, twenty times each",
        "Press Train and watch the two curves part. From where the held-out one rises the pairs are learnt by heart; the adapter "
        "of its lowest point is the one that is kept.",
        section="train",
        puts=(TeachDraft(rows=shipped("tone")[:8], settings=replace(SFT, epochs=20), name="Eight by heart"),),
    ),
}
