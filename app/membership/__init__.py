"""Membership: growth, the levels it reaches, and what a level is worth."""
