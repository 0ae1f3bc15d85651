"""The "Try this" buttons: each sets the page up so that one thing can be seen, and says what to look at.

The numbers in ``look`` are the bundled model's; a test holds them against it.
"""

from __future__ import annotations

from playground.errors import BadInput
from playground.models.address import named_servers
from playground.models.naming import ComparedModel
from playground.sampling.settings import NEUTRAL, SamplerSettings
from playground.state.sampling import Pins
from playground.ui.kit.page import Experiment


def _experiment(
    label: str,
    shows: str,
    look: str,
    prompt: str,
    settings: SamplerSettings,
    section: str = "bars",
    pins: tuple[SamplerSettings, ...] = (),
    beside: tuple[ComparedModel, ...] = (),
) -> Experiment:
    return Experiment(
        label,
        shows,
        look,
        {"prompt": prompt, "settings": settings, "beside": beside},
        section=section,
        puts=(Pins(zip("ABCD", pins, strict=False)),),
    )


EXPERIMENTS: dict[str, Experiment] = {
    "adapts": _experiment(
        "Top-p adapts, top-k does not",
        "A sure prompt and an unsure one under the same settings",
        "The bundled model is nearly sure here, and top-p 0.9 keeps 3 tokens. Change the prompt to “My favourite thing is” "
        "and it keeps more than a thousand, while pin A (top-k 10) keeps ten both times: too many here, too few there.",
        "I went to the shop to buy a loaf of",
        NEUTRAL.replace(top_p=0.9),
        "compare",
        (NEUTRAL.replace(top_k=10),),
    ),
    "order": _experiment(
        "Why order matters",
        "The same values in the orders of three engines",
        "Pins A, B, C have the same temperature 1.5, top-p 0.8 and min-p 0.02 in the orders of hf, vllm and llama.cpp. On "
        "the bundled model they keep 16, 6 and 2 tokens: heating before the cut lets more through than heating after it, "
        "and cutting twice in the other order counts other masses.",
        "The best way to learn is",
        NEUTRAL.replace(temperature=1.5, top_p=0.8, min_p=0.02),
        "compare",
        tuple(
            NEUTRAL.replace(temperature=1.5, top_p=0.8, min_p=0.02, order=order)
            for order in ("hf", "vllm", "llama.cpp")
        ),
    ),
    "tail": _experiment(
        "Temperature and the tail",
        "How much probability a hot temperature gives to nonsense",
        "On the bundled model the “others” row has 20% raw and 68% at temperature 1.5: tens of thousands of tokens, each "
        "unlikely; the log scale shows how unlikely. Add min-p 0.1: the tail is gone, and 5 words are left.",
        "The chef added salt and",
        NEUTRAL.replace(temperature=1.5),
    ),
    "loop": _experiment(
        "A loop and its penalty",
        "A text that repeats itself, and what the repetition penalty does to the next token",
        "Raw, “mat” leads on the bundled model with half of all probability: the pattern invites it. The repetition penalty "
        "of 1.3 weakens every word that was used, and “floor” takes the lead. Open “More samplers” and move it back to 1.0 "
        "to see the loop win.",
        "The cat sat on the mat. The cat sat on the mat. The cat sat on the mat. The cat sat on the",
        NEUTRAL.replace(repetition_penalty=1.3),
    ),
    "format": _experiment(
        "Half the bits",
        "The same weights in float32 and in bfloat16, on the same text",
        "Press Load: the bundled model runs in float32 here, and X is the same model in bfloat16, rounded to 8 bits of "
        "mantissa. KL(now ‖ X) is some 0.001 nats: “ Paris” goes from 77.3% to 76 or 77%; the digits behind that depend on "
        "the processor. Try a text of your own that the model is unsure of.",
        "The capital of France is",
        NEUTRAL,
        "compare",
        beside=(ComparedModel(dtype="bfloat16"),),
    ),
}


def _with_server() -> dict[str, Experiment]:
    """Where the operator has named servers: the first of them beside the model in use."""
    try:
        servers = named_servers()
    except BadInput:  # whoever chooses a server is told what is wrong with the list
        servers = None
    if not servers:
        return {}
    return {
        "server": _experiment(
            "Beside the server",
            "The model in use and the one behind the first address of PLAYGROUND_SERVERS, on the same text",
            "Press Load: X is what the server says of the same text. Is it llama.cpp with the bundled model's 4-bit file "
            "(Q4_1), then KL(now ‖ X) is what llama.cpp's own rounding costs: the weights are the same numbers.",
            "The capital of France is",
            NEUTRAL,
            "compare",
            beside=(ComparedModel(servers[0].text),),
        )
    }


EXPERIMENTS |= _with_server()
