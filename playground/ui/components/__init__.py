"""Browser components (Streamlit components v2, no build step). Hostile text only ever becomes ``textContent``."""
