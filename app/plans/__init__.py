"""Distribution plans as versioned data: which rules are in force when, and who decided it."""
