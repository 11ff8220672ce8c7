"""The core of Tuoke: everything a brand's distribution does, without a front end."""
