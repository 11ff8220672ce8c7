"""People: sign-in, consent, personal data, and who brought whom into the team."""
