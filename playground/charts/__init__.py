"""A frozen dataclass in, a plotly figure out. Knows no streamlit and no model."""
