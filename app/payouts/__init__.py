"""Paying distributors what they may withdraw, exactly once, through WeChat."""
