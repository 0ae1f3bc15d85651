"""The "Try this" buttons of the page. The cell in view is the experiment's own: it forgets the text looked at before."""

from __future__ import annotations

from playground.ui.inside_page.view import LookedAt
from playground.ui.kit.page import Experiment

EXPERIMENTS: dict[str, Experiment] = {
    "answer": Experiment(
        "See the answer appear",
        "The depth at which the model's answer takes the lead",
        "Read the last column from the bottom up: commas and brackets for most of the way, and only in the last layers "
        "“Paris”. The ranks below show that it climbs for several layers before it leads. Then press the top cell after "
        "“in”: the model says Paris there too, before it has read “the city of”.",
        {"prompt": "The Eiffel Tower is in the city of"},
        puts=(LookedAt(),),
    ),
    "pattern": Experiment(
        "A pattern settles earlier",
        "Counting, coloured by how far each depth is from the answer",
        "Dark is near the answer. Compare the columns after the spaces ␣, where a number must come: at the first ones "
        "layer 25 is still one or two nats away, at the later ones a tenth. The last breaks the rule, for after 9 comes a "
        "number of two digits.",
        {"prompt": "1 2 3 4 5 6 7 8 9 10"},
        {"colour": "divergence", "depth": 25},
        puts=(LookedAt(),),
    ),
    "cost": Experiment(
        "Why reading is cheap and writing is not",
        "The same model reads many tokens a second and writes few",
        "In the table a token read costs a fraction of a token written: a prompt's tokens share one pass over the weights, "
        "and each new token needs a pass of its own. Choose Roofline below: the diamonds on the left are writes.",
        {"prompt": "The capital of France is"},
        section="timing",
    ),
}
