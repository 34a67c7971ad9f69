"""The detached process that holds a session, and what it finds out about the ground it stands on."""
