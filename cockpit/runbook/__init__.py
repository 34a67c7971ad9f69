"""Markdown -> Runbook: sections, steps, inputs, expectations, contacts, budgets, problems.

`read(path)` and `parse(text, path)` are the two doors; `model` has the shapes; `lint` says what an author should mend.
"""
