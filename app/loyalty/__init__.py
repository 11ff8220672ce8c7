"""Loyalty: what orders, levels, birthdays and tasks bring to members."""
