"""What an author should mend."""
