"""Models made for one domain, as facts with sources, beside the course notes' trade-off. Nothing of this is measured here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpecialModel:
    """``data``: what it learnt from; ``result``: what is reported; ``source``: where."""

    name: str
    domain: str
    data: str
    result: str
    source: str


SPECIAL_MODELS = (
    SpecialModel(
        "AlphaFold 2 (DeepMind, 2021)",
        "Protein structure",
        "Structures of the Protein Data Bank, and sequences; the notes say about 100,000 proteins",
        "Median backbone error 0.96 Å (r.m.s.d.95) at CASP14; the next best method 2.8 Å",
        "Jumper et al., Nature 596, 2021; course notes",
    ),
    SpecialModel(
        "BioNeMo (NVIDIA, 2022)",
        "Biomolecules, drug discovery",
        "Protein, DNA and small-molecule data: a platform of models, not one model",
        "No single figure: it trains and serves models of others",
        "Vendor documentation; course notes",
    ),
    SpecialModel(
        "Med-PaLM 2 (Google, 2023)",
        "Medical questions",
        "PaLM 2, instruction-tuned on sets of medical questions",
        "Up to 86.5% on MedQA; Med-PaLM 67.2%",
        "Singhal et al., 2305.09617; course notes",
    ),
)
TRADE_OFF = (
    ("Coverage", "broad", "narrow"),
    ("Data", "of the web, noisy", "chosen, costly"),
    ("Accuracy", "good on average", "high where it was made for"),
    ("Cost", "of a training from the start", "often of a fine-tuning"),
    ("Use", "everyday tasks", "expert and regulated tasks"),
)
"""The course notes' table of general and specialised models."""
