"""PostgreSQL statements: their tokens, the functions they call, and what they do."""
