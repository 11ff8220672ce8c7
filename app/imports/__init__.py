"""Bringing rows in from files: checked whole first, then row by row, each once."""
