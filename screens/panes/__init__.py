"""Panes: what stands where on the main screen. A pane draws rows from the view and keeps no facts of its own."""
