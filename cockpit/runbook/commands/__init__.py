"""Code blocks: what they are, and the commands in them."""
