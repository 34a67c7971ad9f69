"""Dialogs: asked below the header, never over it. Each is imported when it is first needed."""
