"""This machine: its measures."""
