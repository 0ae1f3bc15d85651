"""The page "Scaling laws"."""

from playground.ui.scale_page.laws_page import PAGE
from playground.ui.scale_page.page import run_page

run_page(PAGE)
