"""``python -m playground room``: opens a room for a workshop, prints how to join and how to lead, and serves the pages."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from playground.cli import options, output
from playground.errors import BadInput

if TYPE_CHECKING:
    from playground.room.hub.room import Room

_APP = Path(__file__).resolve().parents[2] / "app.py"
_DEFAULT_PORT = 8501


def add_parser(subparsers: options.Commands, common: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    parser = subparsers.add_parser(
        "room", parents=[common], help="open a room for a workshop and serve it", allow_abbrev=False
    )
    parser.add_argument(
        "--host", help="the name or address that people open (default: this machine's own in the network)"
    )
    parser.add_argument("--port", type=_port, default=_DEFAULT_PORT, help=f"default: {_DEFAULT_PORT}")
    parser.add_argument("--lesson", metavar="F.yaml", help="the lesson to go through")
    parser.add_argument(
        "--new", action="store_true", help="a new room, with a new code; the one that was open is closed"
    )
    parser.set_defaults(run=run)


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65_535:
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is no port; give a number from 1024 to 65535")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Check, open, print, and become the server. Returns only where that could not be started."""
    from playground.room.present import ROOM_VARIABLE, check_unclaimed, make_room
    from playground.server.network import address_of

    host, listening = _place(args.host, args.port)
    lesson = _lesson(args.lesson)
    check_unclaimed()
    room = make_room(new=args.new, lesson=lesson)
    address = address_of(host, args.port)
    _tell(room, address, as_json=args.json)
    os.environ |= _environment(host) | {ROOM_VARIABLE: address}
    return _serve(listening, args.port, quiet=args.json)


def _place(wanted: str | None, port: int) -> tuple[str, str]:
    """What people open, and where the server listens: with a ``wanted`` host there alone. Raises BadInput."""
    from playground.server.network import ANYWHERE, check_listening, own_address

    if wanted is not None and wanted != ANYWHERE:
        check_listening(wanted, port)
        return wanted, wanted
    check_listening(ANYWHERE, port)
    address = own_address()
    if address is None:
        print("This machine is in no network: only a browser on it can join.", file=sys.stderr)
    return address or "127.0.0.1", ANYWHERE


def _lesson(file: str | None) -> str | None:
    """The text of a lesson that can be used; None where none was given. Raises BadInput."""
    if file is None:
        return None
    from pages import PAGES
    from playground.room.lesson import read_lesson

    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise BadInput(
            f"--lesson {file}: the file cannot be read ({reason}); give a lesson's YAML file.", "lesson"
        ) from None
    read_lesson(text, ("", *PAGES))
    return text


def _environment(host: str) -> dict[str, str]:
    """What makes the server that of a room: shared, and answering to the host that people open."""
    from playground.room.limits import SHARED_VARIABLE
    from playground.server.guard import HOSTS_VARIABLE

    hosts = [os.environ.get(HOSTS_VARIABLE, ""), host]
    return {SHARED_VARIABLE: "1", HOSTS_VARIABLE: ",".join(filter(None, hosts))}


def _tell(room: Room, address: str, *, as_json: bool) -> None:
    from playground.room.codes import shown_code
    from playground.room.leading import LEAD, join_path

    code = room.view().code
    join, lead = f"{address}{join_path(code)}", f"{address}/{LEAD}/{room.secret}"
    if as_json:
        output.print_json({"address": address, "code": code, "join_link": join, "leader_link": lead})
        sys.stdout.flush()
        return
    import segno

    segno.make(join, error="l", micro=False).terminal(compact=True, border=2)
    print(f"\n  People open  {address}\n  Code         {shown_code(code)}")
    print(f"  You lead by  {lead}\n               keep this link to yourself: who has it can lead.\n")
    print("  Ctrl+C ends the server. Started again, it goes on with this room; --new opens another.", flush=True)


def _serve(listening: str, port: int, *, quiet: bool) -> int:
    """Become Streamlit's server: signals and the exit status are its own."""
    command = [sys.executable, "-m", "streamlit", "run", str(_APP)]
    flags = {
        "server.address": listening,
        "server.port": port,
        "server.headless": "true",
        "logger.hideWelcomeMessage": "true",
    }
    command += [word for name, value in flags.items() for word in (f"--{name}", str(value))]
    if quiet:
        os.dup2(2, 1)  # nothing but the JSON object on stdout
    sys.stdout.flush()
    os.execv(sys.executable, command)
    return 1
