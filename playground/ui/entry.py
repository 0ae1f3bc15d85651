"""The script of every session: page config, navigation, the gates of a room and of judges, the frame of all pages. No more."""

import streamlit as st

from pages import PAGES
from playground.ui.admission import admit_tab
from playground.ui.frame import ICON, navigation, open_frame, page_of
from playground.ui.room_page.gate import admitted, joining_form
from playground.ui.tune_page.judge_gate import judging_page, judging_token

st.set_page_config(page_title="Playground", page_icon=ICON, layout="wide", initial_sidebar_state=240)
may_stay = admit_tab()
token = judging_token() if may_stay else ""
is_in = may_stay and not token and admitted()
page = navigation(PAGES, listed=is_in)
if is_in:
    open_frame(page, PAGES)
    page.run()
elif token:
    judging_page(token)
elif may_stay:
    joining_form(lambda: st.switch_page(page_of(PAGES["room"])))
