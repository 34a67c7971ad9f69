"""AWS operations: what a typed action says, and what it does."""
