"""Figures of days and stores, rolled up so that a dashboard reads a few rows."""
