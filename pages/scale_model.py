"""The page "Model and memory"."""

from playground.ui.scale_page.model_page import PAGE
from playground.ui.scale_page.page import run_page

run_page(PAGE)
