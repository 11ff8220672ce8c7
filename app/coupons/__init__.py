"""Coupons: what they take off, who may have how many, and each one from claim to use."""
