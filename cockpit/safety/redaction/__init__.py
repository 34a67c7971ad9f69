"""Masking secrets in whatever is read, before it reaches a disk or a screen."""
