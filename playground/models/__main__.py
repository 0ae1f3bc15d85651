"""``python -m playground.models``: make the bundled model ready, so that the app opens at once."""

from __future__ import annotations

import sys

from playground.errors import PlaygroundError
from playground.models.bundled import ensure_bundled


def main() -> int:
    """Convert the bundled weights if that has not been done; tell on stderr what is going on."""

    def tell(what: str, fraction: float) -> None:
        sys.stderr.write(f"\r{what} {fraction:4.0%}\033[K")
        sys.stderr.flush()

    try:
        folder = ensure_bundled(tell if sys.stderr.isatty() else None)
    except PlaygroundError as error:
        sys.stderr.write(f"\nerror: {error}\n")
        return 2
    sys.stderr.write(f"\rThe bundled model is ready in {folder}\033[K\n" if sys.stderr.isatty() else "")
    return 0


if __name__ == "__main__":
    sys.exit(main())
