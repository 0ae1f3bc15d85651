"""Section "Anatomy": what the model is made of, counted from its own tensors, beside the formula and the notes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import streamlit as st

from playground.charts.numbers import gigabytes
from playground.charts.scale_treemap import TreemapData, treemap_description, treemap_figure
from playground.engine.api import CancelToken, Engine, Weights
from playground.engine.facets import require
from playground.engine.serving.turns import Priority
from playground.engine.serving.worker import Worker
from playground.engine.types import WeightList
from playground.inspection.anatomy import Anatomy, examine_weights
from playground.inspection.families import KINDS, LLAMA_ROWS, Shape, shape_of
from playground.models.info import LoadedModelInfo
from playground.scaling.parameters import explain_parameters
from playground.ui.inside_page.view import remembered
from playground.ui.kit.jobs import result_of
from playground.ui.kit.messages import escape_markdown, why_it_matters
from playground.ui.kit.pictures import plotly_picture
from playground.ui.runtime import session_id
from playground.ui.workspace.model import loaded_model


def anatomy_section(_view: None) -> None:
    """Treemap, table, words, formula, families."""
    worker = loaded_model()
    anatomy, info = load_anatomy(worker), require(worker.engine, Weights).info
    st.markdown(
        f"**{escape_markdown(info.name)}**: {anatomy.total:,} parameters in {info.dtype}, {gigabytes(info.weights_bytes)}. "
        + ("The head is the token table itself (tied): counted once." if anatomy.tied else "The head is not tied.")
    )
    data = TreemapData(info.name, tuple((part.title, part.parameters, part.parameters) for part in anatomy.parts))
    plotly_picture(treemap_figure(data), key="inside_treemap", alt=treemap_description(data))
    why_it_matters(
        "Counted from the loaded tensors, each once; the boxes add up to the model's own count. The token table weighs "
        "heavily in a small model and hardly in a large one, where nearly all is feed-forward and attention."
    )
    _parts_table(anatomy)
    st.markdown("**The config in words**")
    st.markdown("\n".join(f"- {escape_markdown(sentence)}" for sentence in anatomy.words))
    _formula(anatomy)
    _families(info, anatomy)


def load_anatomy(worker: Worker) -> Anatomy:
    """The list of tensors from the worker, sorted; remembered while the model stays."""
    info = require(worker.engine, Weights).info

    def job(engine: Engine, cancel: CancelToken) -> WeightList:
        return require(engine, Weights).weights()

    def read() -> Anatomy:
        listed = result_of(
            "weights",
            info.revision,
            lambda: worker.submit(session_id(), "weights", job, Priority.LOOK),
            "The tensors are counted",
        )
        return examine_weights(info, listed)

    return remembered(("anatomy", info.revision), read)


def _parts_table(anatomy: Anatomy) -> None:
    import pandas as pd  # only a table needs it, and a page opens without it

    parts = sorted(anatomy.parts, key=lambda part: -part.parameters)
    frame = pd.DataFrame(
        {
            "part": [part.title for part in parts] + ["sum"],
            "tensors": [part.tensors for part in parts] + [sum(part.tensors for part in parts)],
            "parameters": [part.parameters for part in parts] + [anatomy.total],
            "share": [100 * part.parameters / anatomy.total for part in parts] + [100.0],
            "MB": [part.bytes / 1e6 for part in parts] + [sum(part.bytes for part in parts) / 1e6],
        }
    )
    columns = {
        "parameters": st.column_config.NumberColumn(format="localized"),
        "share": st.column_config.NumberColumn(format="%.2f%%"),
        "MB": st.column_config.NumberColumn(format="%.2f"),
    }
    st.dataframe(frame, hide_index=True, key="inside_parts", column_config=columns)


def _formula(anatomy: Anatomy) -> None:
    """The same count from the config alone."""
    if anatomy.spec is None or anatomy.formula is None:
        st.caption("No formula here knows this architecture from its config; the count above is from its tensors.")
        return
    same = anatomy.formula.total == anatomy.total
    st.markdown(
        f"**By formula, from the config alone:** {anatomy.formula.total:,} parameters: "
        + ("the same." if same else f"{abs(anatomy.formula.total - anatomy.total):,} away from the tensors' own count.")
    )
    for shown in explain_parameters(anatomy.spec)[-1:]:
        st.code(
            f"{shown.name} = {shown.formula}\n= {shown.filled}\n= {shown.value:,.0f}", language=None, wrap_lines=True
        )


def _families(info: LoadedModelInfo, anatomy: Anatomy) -> None:
    """The notes' table with this model on top; where a config says otherwise, both stand there."""
    import pandas as pd  # only a table needs it, and a page opens without it

    st.markdown("**Beside the families of the course notes**")
    own = shape_of(anatomy.spec) if anatomy.spec else Shape(info.layers, info.hidden_size, None, info.vocab_size, None)
    lines = [("this model", own, own)] + [(row.name, row.notes, row.checked) for row in LLAMA_ROWS]
    heads = ("layers", "model width", "feed-forward width", "vocabulary", "context")
    frame = pd.DataFrame({"model": [name for name, _notes, _checked in lines]})
    for head, field in zip(heads, Shape.__slots__, strict=True):
        frame[head] = [_both(getattr(notes, field), getattr(checked, field)) for _name, notes, checked in lines]
    narrow = dict.fromkeys(heads, st.column_config.Column(width=75))
    narrow["feed-forward width"] = narrow["vocabulary"] = st.column_config.Column(width=110)
    st.dataframe(frame, hide_index=True, key="inside_llamas", column_config=narrow)
    kinds = [(f"{kind.name}, {kind.since}: {kind.example}", kind.long_texts, kind.keeps) for kind in KINDS]
    st.markdown(_markdown_table(("kind", "long texts", "keeps of what it has read"), kinds))
    why_it_matters(
        "Course notes, checked against the models' own configs: an arrow leads from the notes' number to the config's "
        "where they differ. A longer context costs memory and time, and no parameters."
    )


def _both(noted: int | None, checked: int | None) -> str:
    shown = "–" if noted is None else f"{noted:,}"
    return shown if noted == checked or checked is None else f"{shown} → {checked:,}"


def _markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose cells wrap. Only our own words and numbers may stand in it."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
