"""Logs and the output of runs on the screen: followed, walked through, searched, sieved."""
