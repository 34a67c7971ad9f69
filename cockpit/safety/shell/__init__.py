"""Judging shell scripts: a real grammar, a node allow-list, decoded words, and rules for each command as
data."""
