"""What can go wrong on a user's machine, told in a sentence that says what to do."""


class Problem(Exception):
    """Ends the command; the text names the cause and the remedy."""


class Stopped(Exception):
    """The user asked to stop while something was still starting."""
