"""The session: events, the pure fold, the folder on disk, the journal, the runner, the engine, the host and its clients."""
