"""Points: lots on the ledger, earned, spent, expiring first in first out, and the mall for them."""
