"""The front door: `streamlit run app.py` serves the pages, guarded, with the model on its way before the first reader comes.

The script that a reader's session runs stands in `playground/ui/entry.py`, not here: beside a folder called `pages/`
Streamlit takes an app for its older kind and opens a deep link without that script.
"""

import streamlit as st

from playground.ui.server import lifespan, middleware, routes

app = st.App("playground/ui/entry.py", lifespan=lifespan, middleware=middleware(), routes=routes())
