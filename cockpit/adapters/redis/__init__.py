"""Redis commands as steps; read-only by what the server says of each command."""
