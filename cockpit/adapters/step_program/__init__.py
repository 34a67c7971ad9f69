"""Steps that use a client library, each a program of its own under the runner: the adapter, the program, its page."""
