"""Runs: one command under a runner of its own that outlives whoever started it, and the folder that tells of it."""
