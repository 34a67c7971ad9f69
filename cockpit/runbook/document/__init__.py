"""A document's bytes, its blocks in order, its outline, and the facts in its tables."""
