"""A folder per system that steps, probes and tails reach; what lies beside them serves several."""
