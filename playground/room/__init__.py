"""A workshop's state: who is here, what is shown, what is asked. Imports no streamlit, and nothing here runs a model."""
