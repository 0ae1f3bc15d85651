"""``python -m playground``: the same features without a browser."""

import sys

from playground.cli import main
from playground.models.foreign import mute_panics

if __name__ == "__main__":
    mute_panics()
    sys.exit(main())
