"""Helm releases: what there is and was, as steps and on the live panel, and going back to it."""
