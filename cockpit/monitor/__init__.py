"""Probes on a schedule -> samples; thresholds, "N in a row" rules, recommendations; log tails."""
