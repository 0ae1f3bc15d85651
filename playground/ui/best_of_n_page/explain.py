"""When each rule fails, and what others measured, each with its source."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from playground.testtime.findings import FINDINGS
from playground.testtime.registry import SCORERS
from playground.testtime.types import ScoreColumn
from playground.ui.kit.messages import escape_markdown


def failures(columns: Sequence[ScoreColumn]) -> None:
    """Each rule in use: what it is for, and when it misleads."""
    with st.expander("When each rule fails", on_change="rerun", key="bon_failures", icon=":material/report:") as box:
        if not box.open:
            return
        for name in dict.fromkeys(column.spec.name for column in columns):
            kind = SCORERS[name]
            st.markdown(f"**{kind.label}.** {escape_markdown(kind.purpose)} *It fails:* {escape_markdown(kind.fails)}")
            st.caption(escape_markdown(f"{kind.formula} · {kind.source}"))
        st.markdown(
            "**Voting.** The commonest answer wins. *It fails* where the model's commonest answer is wrong: more votes then make "
            "the mistake surer; and where answers cannot be counted because no two are the same."
        )
        st.markdown(
            "**Any score, searched hard enough.** The best of very many is the one on which the score errs most in its favour. "
            "A verifier can be over-searched; a checker that knows the answer cannot."
        )


def published_figures() -> None:
    """The course notes' figures, what their sources say, and where they stand."""
    with st.expander("What others measured", on_change="rerun", key="bon_figures", icon=":material/menu_book:") as box:
        if not box.open:
            return
        for finding in FINDINGS:
            noted = f"*In the course notes:* {escape_markdown(finding.notes)} " if finding.notes else ""
            st.markdown(f"**{escape_markdown(finding.topic)}.** {noted}{escape_markdown(finding.checked)}")
            st.caption(escape_markdown("; ".join(finding.sources)))
