"""What the page can be set up for. Figures in ``look`` are the bundled model's (docs/data.md)."""

from __future__ import annotations

from playground.ui.kit.page import Experiment

EXPERIMENTS = {
    "protein": Experiment(
        "Protein",
        "A text whose letters the model knows and whose language it does not",
        "Twenty amino acids drawn blindly are 4.3 bits each. The bundled model needs 4.7 bits a byte, with an interval from 4.3 "
        "to 5.1: whatever it has read, of proteins it has learnt next to nothing.",
        state={"domain": "protein"},
        section="bits",
    ),
    "code": Experiment(
        "Code",
        "What follows from the lines above costs next to nothing",
        "Look along the tokens: a name is surprising the first time and hardly at all afterwards, and brackets and indents are "
        "nearly free. That is why code has the fewest bits a byte here, and not that the model could write it.",
        state={"domain": "javascript"},
        section="bits",
    ),
    "tokens": Experiment(
        "Bits a token mislead",
        "A table has few bits a token and many a byte",
        "Per token the table is the easiest text of the twelve; per byte only three are harder. Its digits are a token each, so "
        "each token has little to say. Only bits a byte compare texts, or models with other vocabularies.",
        state={"domain": "table"},
        section="bits",
    ),
}
