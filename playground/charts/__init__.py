"""A frozen dataclass in, a plotly figure or a component's payload out. Knows no streamlit and no model."""
