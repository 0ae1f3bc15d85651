"""The page "Serving"."""

from playground.ui.scale_page.page import run_page
from playground.ui.scale_page.serving_page import PAGE

run_page(PAGE)
