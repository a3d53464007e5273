"""The one exception for a user's mistake: the shell prints its text and exits with 2, without a traceback."""


class InputError(ValueError):
    """One clear line: which file or option, what was expected, what to do."""
