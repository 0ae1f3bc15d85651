"""How to join a room, on one sheet to print: address, code and QR as one HTML file without script or request."""

from __future__ import annotations

from html import escape

_STYLE = """
body { font: 20pt/1.4 system-ui, sans-serif; text-align: center; margin: 10vh auto 0; max-width: 40rem; color: #000; }
img { width: 60%; max-width: 22rem; } p { margin: 0.4em 0; overflow-wrap: anywhere; }
.code { font: 700 56pt/1.1 monospace; white-space: nowrap; } .address { font-weight: 600; }
@page { margin: 15mm; }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def join_sheet(address: str, code: str, picture: str) -> str:
    """``code`` as it is read aloud; ``picture``: the QR code as a data address."""
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8"><title>Join the room</title>',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}"><style>{_STYLE}</style></head><body>',
            f'<p>Scan</p><img src="{escape(picture)}" alt="QR code to join">',
            f'<p>or open</p><p class="address">{escape(address)}</p><p>and type</p><p class="code">{escape(code)}</p>',
            "</body></html>",
            "",
        ]
    )
