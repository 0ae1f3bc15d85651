"""What a page can be set to: frozen states whose fields are declared once, and the links that carry them.

Pure data below `charts/`: no streamlit, so that links are tested without a browser and the command line shares the fields.
"""
