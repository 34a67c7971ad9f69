"""Blanks and variables: what has to be filled in."""
