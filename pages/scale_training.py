"""The page "Training"."""

from playground.ui.scale_page.page import run_page
from playground.ui.scale_page.training_page import PAGE

run_page(PAGE)
