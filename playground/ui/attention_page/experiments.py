"""The "Try this" buttons of the Attention page."""

from __future__ import annotations

from playground.ui.kit.page import Experiment

EXPERIMENTS: dict[str, Experiment] = {
    "induction": Experiment(
        "Find the induction head",
        "A head that looks at what came after the same word earlier",
        "The brightest cell is the strongest induction head of this model, measured on random tokens that repeat. Press it: "
        "under Heads, mark the second “Dur” and see it look at what followed the first one, “rant”.",
        {"prompt": "Mr Durrant and Mrs Potter met by the river. Mr Durrant"},
        {"score": "induction"},
        section="doing",
    ),
    "sink": Experiment(
        "Watch the sink",
        "How much goes to a first token that means nothing",
        "Most thumbnails have a bright left edge: their heads give the first token most of their attention, whatever it is, "
        "when they find nothing to fetch. Switch on “Hide the first token” to see what is left, renormalised.",
        {"prompt": "The river runs past the mill and the old stone bridge before it turns towards the sea"},
        {"heads": "all.mean", "scale": "log"},
        section="heads",
    ),
    "it": Experiment(
        "What “it” looks at",
        "One token's attention, on the text itself",
        "The marked token is “it”. Colour to its left is what it attends to, colour to its right is who attends to it. Walk "
        "through layers and heads: each looks elsewhere. None of this alone says how the model settles what “it” is.",
        {"prompt": "The animal did not cross the street because it was too tired"},
        {"hide_first": True, "scale": "stretched", "query": 8},
        section="heads",
    ),
    "shared": Experiment(
        "Three queries, one key",
        "Grouped queries: heads that share their keys and still differ",
        "This head's keys are shared with its neighbours, which the buttons name. Press them in turn: the same keys, another "
        "query vector, other scores and weights.",
        {"prompt": "When Mary and John went to the store, John gave a drink to"},
        {"heads": "12.3"},
        section="weight",
    ),
}
