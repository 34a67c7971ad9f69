"""A step's way: drafted, judged, proposed, confirmed, run, checked, recorded."""
