"""How the tables of earlier versions become the present ones: one file a change, run in order by alembic.

``alembic revision --autogenerate -m "what changes"`` writes the next one from ``tables.py``. Replicas of the version before go on
while the first new one starts: a change adds first, and what nobody uses any more goes with a later version.
"""
