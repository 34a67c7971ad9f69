"""Rehearsals: a small real service of one's own, what breaks it, and how well it was put right."""
