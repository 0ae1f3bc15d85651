"""Section "Proof": the present settings run a second time through transformers' own processors, here and now."""

from __future__ import annotations

import streamlit as st

from playground.charts.numbers import scientific
from playground.engine.types import NextLogits
from playground.sampling.reference import AGREE_WITHIN, prove_against_transformers
from playground.sampling.registry import SAMPLERS
from playground.ui.kit.messages import why_it_matters
from playground.ui.sampling_page.view import SamplingView


def proof_section(view: SamplingView) -> None:
    """The badge, and one row for each active sampler that says what it was held against."""
    import pandas as pd  # only a table needs it, and the first bars need not wait for it

    if not isinstance(view.row, NextLogits):
        st.info(
            f"The proof runs transformers' processors over a whole row, and this engine tells {view.row.top_ids.size:,} of "
            f"{view.row.vocab_size:,} tokens. The bounds shown here are held in this project's tests against the chain on whole "
            "rows; for the proof itself choose a model that runs in this process."
        )
        return
    proof = prove_against_transformers(view.row.logits, view.setup.settings, view.next.context)
    if not proof.covered and not proof.uncovered:
        st.badge("Nothing to prove: every sampler is off. Move a slider", icon=":material/info:", color="gray")
    elif not proof.covered:
        st.badge("transformers has none of these samplers; see the table", icon=":material/info:", color="gray")
    elif proof.agrees:
        st.badge(
            f"Agrees with transformers: largest difference {scientific(proof.largest_difference or 0)}, the same tokens kept",
            icon=":material/verified:",
            color="green",
        )
    else:
        st.badge(
            f"Differs from transformers: largest difference {scientific(proof.largest_difference)}, "
            f"kept tokens {'equal' if proof.same_kept else 'differ'}",
            icon=":material/error:",
            color="red",
        )
    rows = [(SAMPLERS[name].label, "run here", SAMPLERS[name].reference) for name in proof.covered]
    rows += [(SAMPLERS[name].label, "in the tests", reference) for name, reference in proof.uncovered]
    if rows:
        st.dataframe(pd.DataFrame(rows, columns=["sampler", "compared", "with"]), hide_index=True, key="proof_table")
    why_it_matters(
        f"Both implementations get the same logits, all {view.row.logits.size:,} of them, in the same order. They agree when "
        f"no token's final probability differs by more than {scientific(AGREE_WITHIN, 0)} and the same tokens are kept. "
        "What transformers lacks is compared in this project's tests with a second, independent implementation of the named "
        "engine's rule.",
        "Sampler",
        "Logit",
    )
