"""Votes between two answers, and what may be said of them: strengths, agreement, bias, and when a pair is settled.

Pure maths on frozen data, but for ``kept``, through which ballots outlive their process. Knows no model, no page, and not where
the votes come from.
"""
