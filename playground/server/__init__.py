"""The server's own matters: who may talk to it, what a browser may do with its pages, how it ends.

ASGI and signals; must not know streamlit, pages or models.
"""
