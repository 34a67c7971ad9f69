"""One file a command of the command line; each has `run(options) -> exit code`."""

INTERRUPTED = 130
