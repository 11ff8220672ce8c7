"""Guest cards: what distributors hand to friends so that they try the brand."""
