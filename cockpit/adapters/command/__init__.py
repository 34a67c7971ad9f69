"""Commands: watched by what they say."""
