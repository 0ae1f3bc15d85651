"""The family tree with its facts: what the course notes say, what a check against the sources gives, and what each lacks.

Figures of papers are their abstracts' or the named table's, looked up for this file; counts of parameters are the
calculator's from the configs. A number like 1409.0473 is arXiv's, whose first four digits are the year and the month.
"""

from __future__ import annotations

from dataclasses import dataclass

from playground.scaling.configs import load_preset
from playground.scaling.memory import kv_bytes
from playground.scaling.parameters import count_parameters
from playground.scaling.quantity import format_bytes


@dataclass(frozen=True, slots=True)
class Milestone:
    """``lane``: its column in the picture. ``notes``: as in the notes, "" where they are silent. ``differs``: from the check."""

    name: str
    year: float
    lane: str
    parents: tuple[str, ...]
    notes: str
    checked: str
    source: str
    differs: bool = False


LANES = ("Vision", "Recurrence", "Attention", "State space", "Hybrid")


def milestones() -> tuple[Milestone, ...]:
    """From 2012 on, in order."""
    mamba = count_parameters(load_preset("mamba-2.8b").spec).total
    jamba_spec, mixtral_spec = load_preset("jamba-v0.1").spec, load_preset("mixtral-8x7b").spec
    jamba = count_parameters(jamba_spec)
    caches = [format_bytes(kv_bytes(spec, 262_144)) for spec in (jamba_spec, mixtral_spec)]
    return (
        Milestone(
            "AlexNet",
            2012.7,
            "Vision",
            (),
            "Revived deep learning.",
            "Won ImageNet 2012 with 15.3% top-5 error; the second had 26.2%.",
            "Krizhevsky et al. 2012",
        ),
        Milestone(
            "GAN",
            2014.4,
            "Vision",
            (),
            "Popular for pictures from 2014 to 2019.",
            "Published in June 2014; in 2021 diffusion models were still measured against them, and passed them on ImageNet.",
            "1406.2661, 2105.05233",
            True,
        ),
        Milestone(
            "Seq2Seq",
            2014.6,
            "Recurrence",
            (),
            "Dominant from 2014 to 2018; adopted by Google Translate in 2016.",
            "What went into service at Google in 2016 (GNMT) had attention between encoder and decoder: the plain one, with its "
            "bottleneck, never did.",
            "1409.3215, 1406.1078, 1609.08144",
            True,
        ),
        Milestone(
            "Bahdanau's attention",
            2014.75,
            "Attention",
            ("Seq2Seq",),
            "Existed before the transformer.",
            "Put on arXiv on 1 September 2014, nine days before Seq2Seq's paper (1409.3215).",
            "1409.0473",
        ),
        Milestone(
            "Transformer",
            2017.45,
            "Attention",
            ("Bahdanau's attention",),
            "Scales with the square of the sequence; its cache is large.",
            "Only reading has a part with the square; a new token's time and the cache grow in proportion to the text: see "
            "What grows.",
            "1706.03762",
            True,
        ),
        Milestone(
            "HiPPO",
            2020.62,
            "State space",
            (),
            "State spaces are initially introduced in 2021.",
            "What S4 computes is older: HiPPO's matrices are of 2020, and derive the Legendre Memory Unit of 2019.",
            "2008.07669",
            True,
        ),
        Milestone(
            "S4",
            2021.83,
            "State space",
            ("HiPPO",),
            "Makes state spaces computationally feasible.",
            "Solves Path-X of the Long Range Arena, 16,384 positions, where all work before it failed.",
            "2111.00396",
        ),
        Milestone(
            "H3",
            2022.95,
            "State space",
            ("S4", "Transformer"),
            "Recall and comparison as attention has, more efficiently.",
            "Within 0.4 perplexity of a transformer on OpenWebText; 1.0 better only with two layers of attention kept, at 125 "
            "million parameters.",
            "2212.14052",
            True,
        ),
        Milestone(
            "RWKV",
            2023.4,
            "Recurrence",
            ("Seq2Seq", "Transformer"),
            "An RNN that trains in parallel; no strict limit of context, yet long-range reasoning stays hard.",
            "Trained to 14 billion parameters, on par with transformers of like size by its authors; the largest dense RNN until "
            "then.",
            "2305.13048",
        ),
        Milestone(
            "Mamba",
            2023.9,
            "State space",
            ("H3",),
            "Scales to 3B parameters; better than transformers of its size, equal to those twice as large; up to a million "
            "tokens.",
            f"The largest has {mamba:,} parameters. The million tokens are DNA, sound and synthetic tasks. At 8B on equal data "
            "pure Mamba matches a transformer on many tasks and lags in copying, in-context learning and long-context reasoning.",
            "2312.00752, 2406.07887",
            True,
        ),
        Milestone(
            "Griffin",
            2024.16,
            "Hybrid",
            ("S4", "Transformer"),
            "",
            "A gated linear recurrence and attention of a window, to 14 billion parameters; its authors also have Hawk, the "
            "recurrence alone.",
            "2402.19427",
        ),
        Milestone(
            "Jamba",
            2024.25,
            "Hybrid",
            ("Mamba", "Transformer"),
            "52B parameters, 12B active; fits one 80 GB GPU; 256K tokens with a smaller memory.",
            f"{jamba.total / 1e9:.1f}B and {jamba.active / 1e9:.1f}B by its config. In 16 bits the weights alone take "
            f"{format_bytes(2 * jamba.total)}: one 80 GB GPU holds them in 8 bits only. Cache at 262,144 tokens "
            f"{caches[0]}, Mixtral's {caches[1]} (the paper: 4 and 32 GB).",
            "2403.19887",
            True,
        ),
        Milestone(
            "Mamba-2",
            2024.4,
            "State space",
            ("Mamba",),
            "",
            "The same idea as products of matrices; by its authors its layer is 2 to 8 times as fast as Mamba's.",
            "2405.21060",
        ),
        Milestone(
            "Jamba-1.5",
            2024.65,
            "Hybrid",
            ("Jamba",),
            "",
            "398B parameters, 94B active; 256K tokens on eight 80 GB GPUs, its experts in 8 bits.",
            "2408.12570",
        ),
        Milestone(
            "MiniMax-01",
            2025.04,
            "Hybrid",
            ("Transformer",),
            "",
            "456B parameters, 45.9B active; seven layers of linear attention to one of softmax; trained to a million tokens.",
            "2501.08313",
        ),
        Milestone(
            "RWKV-7",
            2025.2,
            "Recurrence",
            ("RWKV",),
            "",
            "Its state is updated by a delta rule; models to 2.9B.",
            "2503.14456",
        ),
        Milestone(
            "Qwen3-Next",
            2025.7,
            "Hybrid",
            ("Mamba-2", "Transformer"),
            "",
            "Three layers of Gated DeltaNet to one of gated attention; a mixture of experts, 80B and 3B active.",
            "qwen.ai, September 2025; transformers, qwen3_next",
        ),
    )


@dataclass(frozen=True, slots=True)
class Contender:
    """What an architecture has of what it takes to replace the transformer. ``classes``: in transformers, () for none."""

    family: str
    quality: str
    hardware: str
    classes: tuple[str, ...]


CONTENDERS: dict[str, Contender] = {
    "transformer": Contender(
        "Transformer",
        "405 billion parameters, dense (2407.21783); a trillion, 32 billion active (2507.20534)",
        "products of large matrices, what GPUs are built for",
        ("LlamaForCausalLM",),
    ),
    "gru": Contender(
        "GRU",
        "left behind in 2017: no language model of size",
        "one position after the other, in training too",
        (),
    ),
    "s4": Contender("S4", "no language model of size: it cannot select", "a convolution, fast everywhere", ()),
    "h3": Contender(
        "H3", "2.7 billion parameters with two layers of attention (2212.14052)", "a convolution by FFT", ()
    ),
    "rwkv": Contender(
        "RWKV",
        "14 billion parameters, on par with transformers of its size by its authors (2305.13048)",
        "needs a kernel of its own to be fast",
        ("RwkvForCausalLM",),
    ),
    "mamba": Contender(
        "Mamba",
        "7 billion parameters on 5.8 trillion tokens: Falcon Mamba (2410.05355)",
        "needs a kernel of its own to be fast",
        ("MambaForCausalLM", "FalconMambaForCausalLM"),
    ),
    "mamba-2": Contender(
        "Mamba-2",
        "8 billion parameters on 3.5 trillion tokens, behind in copying; with a few layers of attention ahead by "
        "2.65 points over 12 tasks (2406.07887)",
        "products of matrices in chunks",
        ("Mamba2ForCausalLM",),
    ),
    "jamba": Contender(
        "Hybrids",
        "Jamba-1.5: 398 billion parameters, 94 billion active (2408.12570); MiniMax-01: 456 and 45.9 (2501.08313)",
        "both kinds of kernels",
        ("JambaForCausalLM", "Qwen3NextForCausalLM"),
    ),
}
