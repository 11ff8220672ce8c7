"""What one person asks for and another decides, each at their own desk."""
