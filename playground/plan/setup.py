"""What the Plan pages remember: one frozen ``ScaleSetup`` for all five, so that a model chosen on one is there on the next.

A row here is an input: its name in a link, its widget's label and help, how its text is read. ``links.py`` says which of
them a page's link carries.
"""

from __future__ import annotations

from dataclasses import dataclass

from playground.plan.fields import count, named, quantity, word
from playground.plan.gpu_rows import read_gpus, write_gpus
from playground.plan.own_config import OwnConfig, packed_config, read_linked_config
from playground.plan.packing import pack_prices, unpack_prices
from playground.scaling.api_prices import PriceTable
from playground.scaling.configs import load_preset
from playground.scaling.hardware import Gpu, find_gpu
from playground.scaling.laws import LAWS, find_law
from playground.scaling.memory import OPTIMIZERS, RECOMPUTE, WEIGHT_BYTES
from playground.state.link_fields import flag, link_field, one_of, text, whole

CUSTOM = "custom"  # the config that was pasted, uploaded or taken from the loaded model
CHECKED, AS_IN_NOTES = "Checked", "As in the notes"
ROOFLINE = "1 is the roofline itself: a bound that nothing real beats."


@dataclass(frozen=True, slots=True)
class ScaleSetup:
    """Everything set on the Plan pages. Counts in tokens, parameters, sequences and GPUs; prices in USD per GPU-hour.

    ``price`` None: the middle of the table's dated range. ``own_gpus``: rows of the hardware table that were edited.
    ``prices``: an uploaded price table, None for the packaged one. A GPU that neither table has is refused (BadInput).
    """

    config: str = named(
        "Llama-3-8B",
        label="Model",
        help="A published model, or a config.json of your own.",
        check=lambda name: name if name == CUSTOM else load_preset(name).name,
        always=True,
    )
    own_config: OwnConfig | None = link_field(None, read_linked_config, name="json", write=packed_config)
    basis: str = one_of(
        "checked",
        {"checked": CHECKED, "notes": AS_IN_NOTES},
        label="Numbers",
        help="Checked: against papers and data sheets. Notes: as the course notes have them. Where they differ, both are shown.",
    )
    own_gpus: tuple[Gpu, ...] = link_field(
        (), read_gpus, write=write_gpus, label="Edited GPUs"
    )  # before the one chosen
    weights: str = word(
        "bfloat16",
        WEIGHT_BYTES,
        label="Weights (dtype)",
        help="Number format of the weights: 4, 2, 2, 1 or half a byte a parameter. The cache stays in 16 bits.",
    )
    purpose: str = word(
        "serving", ("serving", "training"), label="Purpose", help="What the memory is for: answering, or learning."
    )
    context: int = count(8192, 10**9, (9, 20), label="Context (tokens)", help="Tokens of each sequence.")
    batch: int = count(
        8,
        10**6,
        (0, 12),
        label="Batch (sequences)",
        help="Sequences at once: all of them when serving, per GPU in training.",
    )
    gpu: str = named(
        "H100 SXM", label="GPU", help="Peaks are dense bf16; every row can be edited on the Training page."
    )
    gpus: int = count(1, 10**5, (0, 10), label="GPUs", help="GPUs that share the model.")
    optimizer: str = word(
        "adam",
        OPTIMIZERS,
        label="Optimizer",
        help="Adam in mixed precision keeps 16 bytes a parameter, 18 with gradients in 32 bits.",
    )
    zero: int = whole(
        0,
        0,
        3,
        choices={stage: str(stage) for stage in range(4)},
        label="ZeRO stage",
        help="1 shards the optimizer, 2 the gradients too, 3 the weights too.",
    )
    recompute: str = word(
        "none",
        RECOMPUTE,
        label="Recompute activations",
        help="Keep fewer activations and compute them again in the backward pass.",
    )
    params: float | None = quantity(
        None,
        0,
        1e18,
        label="Parameters",
        help="Empty: the model's own, the active ones for a mixture of experts. Or a number such as 7B.",
        placeholder="the model's own",
    )
    dataset: float = quantity(15e12, 0, 1e21, label="Dataset (tokens)", help="Tokens of the data set, such as 15T.")
    epochs: float = quantity(
        1.0,
        0,
        1e6,
        label="Epochs",
        help="Times the data set is seen: training tokens = dataset tokens × epochs.",
        low=0.5,
        high=10.0,
        step=0.5,
    )
    cluster: int = count(1024, 10**7, (0, 15), label="GPUs in training", help="GPUs that train together.")
    mfu: float = quantity(
        0.4,
        0,
        1.0,
        label="MFU",
        help="Model FLOPs utilisation: the share of the dense peak that the model's own arithmetic reaches. Published runs: "
        "GPT-3 21%, MT-NLG 30%, Gopher 33%, Llama 3.1 41–43%, PaLM 46%.",
        low=0.05,
        high=1.0,
        step=0.01,
    )
    price: float | None = quantity(
        None,
        0,
        1e6,
        label="Price (USD per GPU-hour)",
        help="Empty: the middle of the range in the table, with its date.",
        placeholder="from the table",
    )
    pue: float = quantity(
        1.1,
        1.0,
        10.0,
        above=False,
        label="PUE",
        help="Power usage effectiveness: what a data centre draws for each watt its machines use.",
        low=1.0,
        high=2.0,
        step=0.01,
    )
    grid: float = quantity(
        0.4,
        0.0,
        10.0,
        above=False,
        label="Grid (kg CO₂ per kWh)",
        help="Carbon intensity of the electricity; the world's average is about 0.4.",
        low=0.0,
        high=1.0,
        step=0.01,
    )
    attention: bool = flag(label="Count attention", help="Add the scores and weighted sums that 6ND leaves out.")
    law: str = named(
        "hoffmann-tex",
        label="Law",
        help="A set of constants; the pages show how far they disagree.",
        check=lambda name: find_law(name).name,
        choices={name: name for name in LAWS},
    )
    size: float = quantity(70e9, 1e5, 1e16, label="Parameters N", help="Size of the model to rate, such as 70B.")
    tokens: float = quantity(
        1.4e12, 1e6, 1e18, label="Training tokens D", help="Tokens it is trained on, such as 1.4T."
    )
    budget: float = quantity(5.76e23, 1e15, 1e32, label="Compute C (FLOPs)", help="Training compute, such as 5.76e23.")
    before: float = quantity(3.4, 0.1, 20, label="Loss before (nats)", low=2.0, high=5.0, step=0.05)
    after: float = quantity(2.8, 0.1, 20, label="Loss after (nats)", low=1.8, high=4.9, step=0.05)
    demand: float = quantity(
        1e13,
        0,
        1e24,
        above=False,
        label="Inference demand (tokens)",
        help="Tokens the model will read and write over its life.",
    )
    prompt_tokens: int = count(512, 10**8, (4, 17), label="Prompt (tokens)", help="Tokens of each prompt.")
    new_tokens: int = count(256, 10**8, (0, 15), label="Answer (tokens)", help="Tokens written for each prompt.")
    samples: int = count(
        1,
        10**5,
        (0, 10),
        label="Samples a query (N)",
        help="Answers drawn for each query from one reading of the prompt: test-time compute.",
    )
    compute_efficiency: float = quantity(
        1.0, 0, 1.0, label="Share of peak arithmetic", help=ROOFLINE, low=0.05, high=1.0, step=0.01
    )
    bandwidth_efficiency: float = quantity(
        1.0, 0, 1.0, label="Share of peak bandwidth", help=ROOFLINE, low=0.05, high=1.0, step=0.01
    )
    api: str = text("", 500, label="API model", help="Whose price list the GPU is compared with.")
    reasoning: int = count(
        0,
        10**8,
        (6, 15),
        least=0,
        label="Reasoning tokens",
        help="Written before the answer, billed as output.",
    )
    cached: float = quantity(
        0.0,
        0,
        1.0,
        above=False,
        label="Cached share of the prompt",
        help="Prompt tokens that the provider bills at its cache price.",
        low=0.0,
        high=1.0,
        step=0.05,
    )
    usable: float = quantity(
        0.5,
        0,
        1.0,
        label="Share of the day in use",
        help="A GPU is rented around the clock; demand fills only a part of it.",
        low=0.05,
        high=1.0,
        step=0.05,
    )
    language: str = named("Punjabi", label="Language", help="A language to look at.")
    speakers: float = quantity(113e6, 0, 8e9, label="Speakers", help="People who speak it, such as 113M.")
    web_share: float = quantity(
        0.000061,
        0,
        1.0,
        label="Share of the crawl",
        help="Fraction of Common Crawl: 0.000061 is 0.0061%.",
    )
    prices: PriceTable | None = link_field(None, unpack_prices, write=pack_prices, label="Price table")

    def __post_init__(self) -> None:
        gpu_of(self)


def gpu_of(setup: ScaleSetup) -> Gpu:
    """The chosen GPU, an edited row before the table's. Raises BadInput for a name that neither has."""
    for gpu in setup.own_gpus:
        if gpu.name.lower() == setup.gpu.strip().lower():
            return gpu
    return find_gpu(setup.gpu)
