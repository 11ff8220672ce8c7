"""Membership levels: growth, what a level brings, how long it lasts."""
