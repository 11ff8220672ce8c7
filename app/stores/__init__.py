"""Regions, stores, the staff who work there, their roles and what each may see and do."""
