"""The page "Data and languages"."""

from playground.ui.scale_page.data_page import PAGE
from playground.ui.scale_page.page import run_page

run_page(PAGE)
