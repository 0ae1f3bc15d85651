"""What a section says and shows before there is a vote: what it will show, where it stands, and votes at a press."""

from __future__ import annotations

import streamlit as st

from playground.charts.preferences_ways import ways_description, ways_svg
from playground.ui.preferences_page.bring_in import offer_synthetic


def no_votes_yet(about: str, here: str) -> None:
    """``about``: what will be here, Markdown of ours. ``here``: the section's box in the drawing."""
    ways_on(here)
    st.info(f"{about} It is learnt from votes: vote, or let synthetic voters vote.", icon=":material/how_to_vote:")
    offer_synthetic()


def ways_on(here: str) -> None:
    """The drawing of what comes of votes; ``here``: the box that is in view."""
    with st.container(key=f"drawing_{here}"):
        st.image(ways_svg(here), width="stretch", alt=ways_description(here))
