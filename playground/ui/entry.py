"""The script of every session: page config, navigation and the frame every page shares. Nothing else."""

import streamlit as st

from pages import PAGES
from playground.ui.frame import ICON, navigation, open_frame

st.set_page_config(page_title="Playground", page_icon=ICON, layout="wide")
page = navigation(PAGES)
open_frame(page, PAGES)
page.run()
