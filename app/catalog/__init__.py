"""What the brand sells, and how much of it each store has."""
