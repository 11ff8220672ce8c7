"""The counter of a store: one-time codes that customers show there, and who stands behind it."""
