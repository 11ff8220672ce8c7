"""A brand to look at: stores, staff, products, distributors and three months of trade."""
