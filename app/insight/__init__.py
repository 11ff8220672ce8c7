"""Figures that dashboards show: what each day brought, kept so that nobody has to count.

Every figure is a count or a sum of rows of one table by the day of one of their instants. Lists
filter by the same definition (`sources.rows_of`), so a figure and its rows cannot disagree.
"""
