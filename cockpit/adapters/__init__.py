"""One file per system that steps, probes and tails reach. `base` has the protocols, `registry` finds the adapters."""
