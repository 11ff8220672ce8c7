"""What orders and days bring to members: points, growth, gifts, care."""
