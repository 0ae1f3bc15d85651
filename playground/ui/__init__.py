"""The only folder that imports streamlit: frame, state, caching, waiting, components, and the sections of the pages."""
