"""The session folder and what is written there: events, the journal and its one writer, the fold, the readers."""
