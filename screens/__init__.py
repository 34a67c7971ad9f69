"""The viewer: Textual only. It reads a session's folder and sends commands to its host; it never acts by itself."""
