"""Settings that staff change in the back office, with validation, history and effective date."""
