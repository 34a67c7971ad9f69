"""Redis commands: their words, the server's own flags, and what they do."""
