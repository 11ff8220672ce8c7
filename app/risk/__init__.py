"""Signs of abuse among distributors: found by rules or raised by staff, decided by people."""
