"""Running the system: health, metrics, the audit of every invariant."""
