"""A stand-in for PM2, for machines that have none: the commands and the socket that the world needs, no more."""
