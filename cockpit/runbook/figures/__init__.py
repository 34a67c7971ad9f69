"""Named figures in what known tools print: `ab`'s p95, alembic's current revision, newman's failed assertions.

One file a tool; `registry.py` has the list. All of it is pure: text in, figures out.
"""
