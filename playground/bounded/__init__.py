"""Calls of our own functions on a stranger's text, in a child process that may hang, crash or eat memory without harm.

``call_bounded`` is all that others need. Stands beside the bottom of the house: knows no model, no page and no check.
"""

from playground.bounded.calls import call_bounded, close_children
from playground.bounded.child import BoundedFailure, ChildDied, OutOfMemory, OutOfTime, RaisedInChild

__all__ = [
    "BoundedFailure",
    "ChildDied",
    "OutOfMemory",
    "OutOfTime",
    "RaisedInChild",
    "call_bounded",
    "close_children",
]
