"""What `make run` serves: `app.py`, with the model on its way before the first reader has opened a browser."""

import streamlit as st

from playground.ui.server import with_model

app = st.App("app.py", lifespan=with_model)
