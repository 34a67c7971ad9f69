"""Values into a command's blanks, each quoted for the grammar around it."""
