"""Double entry for everything that is owed: commission in fen, later points in points."""
