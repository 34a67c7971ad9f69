"""The line between a viewer and the host."""
