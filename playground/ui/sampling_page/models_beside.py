"""The part of "Compare" that shows other models on the same text: their bars, the distances, and what each costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import streamlit as st

from playground.charts.compare import NOW, CompareData
from playground.charts.compare_models import Bars, comparison_sentence, models_data, models_table
from playground.engine.types import NextLogits
from playground.errors import PlaygroundError
from playground.inspection.alignment import align
from playground.inspection.compared import ModelRow, compare_rows, require_portable
from playground.sampling.chain import NextToken
from playground.sampling.partial_chain import PartialNext
from playground.ui.kit.fragments import PICTURES
from playground.ui.kit.jobs import Pending, show_pending
from playground.ui.kit.messages import escape_markdown, said, why_it_matters
from playground.ui.sampling_page.view import SamplingView, examine_whole
from playground.ui.workspace.beside import ReadBeside, each_beside
from playground.ui.workspace.beside_loading import named

WIDTHS = {"": 45, "format": 75, "where": 75, "weights": 70, "read in": 90, "tokens/s": 60}  # pixels


@dataclass(frozen=True, slots=True)
class ModelsBeside:
    """What is there of the models beside. ``final_probs``: None where the chain cannot run on a model's row."""

    now: ModelRow
    rows: Mapping[str, ReadBeside]
    final_probs: Mapping[str, npt.NDArray[np.floating] | None]

    def data(self, views: Mapping[str, NextToken | PartialNext]) -> CompareData:
        """The bars of the present and pinned settings and of the models; where the present row is told in part, its raw
        probabilities instead."""
        settings = {
            name: Bars(self.now, each.trace.final_probs) for name, each in views.items() if isinstance(each, NextToken)
        }
        return models_data(
            settings or {NOW: Bars(self.now, None)},
            {letter: Bars(each.read, self.final_probs[letter]) for letter, each in self.rows.items()},
        )

    def show(self) -> None:
        """One sentence a model, and the table."""
        if not self.rows:
            return
        compared = {letter: (each.read, compare_rows(self.now, each.read)) for letter, each in self.rows.items()}
        for letter, (read, comparison) in compared.items():
            st.markdown(escape_markdown(comparison_sentence(letter, read, comparison)))
            if self.final_probs[letter] is None:
                st.caption(f"The bars of {letter} are its probabilities before the samplers, as far as they are told.")
        st.dataframe(
            models_table(self.now, compared),
            hide_index=True,
            key="models_table",
            column_config={name: st.column_config.TextColumn(width=width) for name, width in WIDTHS.items()},
        )
        why_it_matters(
            "Bars are final probabilities under the present settings; distances are taken before the samplers, so that they "
            "say what the model, its number format or its engine changes. A row of a server takes its way here too: its time "
            "is not the model's alone.",
            "KL divergence",
            "Total variation",
        )


def models_beside(view: SamplingView) -> ModelsBeside:
    """The models beside on the present text; questions, progress and problems are drawn where this is called."""
    rows = each_beside(view.worker) if named() else {}
    final: dict[str, npt.NDArray[np.floating] | None] = {}
    for letter, each in rows.items():
        final[letter] = _final_probs(view, letter, each)
    return ModelsBeside(ModelRow(view.worker.engine.info, view.codec, view.row), rows, final)


def _final_probs(view: SamplingView, letter: str, each: ReadBeside) -> npt.NDArray[np.floating] | None:
    row = each.read.row
    if not isinstance(row, NextLogits):
        return None
    try:
        shown, vocabularies = each.setup, ((view.codec, view.row.vocab_size), (each.read.codec, row.vocab_size))
        require_portable(shown.settings, align(vocabularies).same)
        return examine_whole(each.worker, row, each.prompt_ids, shown.settings, shown.seed).trace.final_probs
    except Pending as pending:  # Mirostat asks for the rows before this one
        show_pending(pending, PICTURES)
    except PlaygroundError as error:
        st.warning(f"**{letter}** · {said(error)}", icon=":material/info:")
    return None
