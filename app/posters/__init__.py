"""Posters: templates, rendering, and the pictures of people on them."""
