"""The session: events, the pure fold, the folder, the journal, the runner, the engine, the host and its clients."""
