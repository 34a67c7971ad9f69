"""What must come back, from what the author wrote."""
