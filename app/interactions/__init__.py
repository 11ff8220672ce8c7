"""Reviews, questionnaires, campaigns to segments, care: talking with customers."""
