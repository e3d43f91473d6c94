"""What a user can mend: the command line prints the message without a traceback and exits with code 2."""


class InputError(ValueError):
    """A model, a data set or a setting that cannot be used as given; the message says how to mend it."""
