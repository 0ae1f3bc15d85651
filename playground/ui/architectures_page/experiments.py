"""The "Try this" buttons of the page."""

from __future__ import annotations

from playground.ui.kit.page import Experiment

EXPERIMENTS: dict[str, Experiment] = {
    "bottleneck": Experiment(
        "The bottleneck",
        "An RNN writes a text in reverse, without and with attention",
        "Without attention the whole text must fit through one vector: the curve falls with the length. With it, it stays up, "
        "and the picture below shows the decoder looking back from the last symbol to the first.",
        state={"task": "reverse", "models": ()},
        section="learn",
    ),
    "gate": Experiment(
        "A gate that closes",
        "Mamba-2's Δ on letters among points",
        "Δ is small at the points and large at the letters: the state stays closed to what means nothing. Choose S4: its kernel "
        "is the same for every token, and it cannot tell them apart.",
        state={"text": "..c..a...f.b......d...e.", "layer": "mamba"},
        section="remember",
    ),
    "memory": Experiment(
        "What grows",
        "Bytes kept of a text",
        "The transformer's line rises with the text, the hybrid's by one layer of four, and the fixed states stay level. Only at "
        "texts shorter than the picture's are they the larger ones: Mamba-2's state takes as much as the transformer's cache of "
        "some 120 tokens. Press Measure to see the tensors' bytes and the times of this machine now.",
        state={"shows": "state"},
        section="growth",
    ),
}
