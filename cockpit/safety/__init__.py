"""Judging what may run (verdict, permit), and cleaning what was read (redaction, text)."""
