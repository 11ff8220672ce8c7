"""The compliance check: what of a plan may not be published, and what somebody must answer for.

Rules are data (`rules.RULES`): the 24 of the trade's regulations, `C1` to `C24`, and the brand's
own, `S1`. What to read: `dossier` (what is looked at), `findings` (what is found), `check`.
"""
