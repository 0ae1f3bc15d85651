"""What one tab has and others of this process may look at, by a name that nobody can guess; for as long as the tab has it."""

from __future__ import annotations

import secrets
import threading
from typing import TypeVar
from weakref import WeakKeyDictionary, WeakValueDictionary

T = TypeVar("T")


class _Shown:
    lock = threading.Lock()
    names: WeakKeyDictionary[object, str] = WeakKeyDictionary()
    works: WeakValueDictionary[str, object] = WeakValueDictionary()


def shown_as(work: object) -> str:
    """The name by which ``find_shown`` finds it: always the same one, letters and digits."""
    with _Shown.lock:
        name = _Shown.names.setdefault(work, secrets.token_hex(16))
        _Shown.works[name] = work
        return name


def find_shown(name: str, kind: type[T]) -> T | None:
    """What was shown under that name; None for a name of nothing, of something else, or of a tab that is gone."""
    with _Shown.lock:
        work = _Shown.works.get(name)
    return work if isinstance(work, kind) else None
