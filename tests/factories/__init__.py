"""Functions that put one thing of a slice into the database, with only what a test cares about."""
