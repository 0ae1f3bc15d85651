"""``python -m playground``: the same features without a browser."""

import sys

from playground.cli import main

if __name__ == "__main__":
    sys.exit(main())
