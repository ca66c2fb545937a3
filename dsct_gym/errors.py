"""The one exception that a user's mistake raises."""


class InputError(ValueError):
    """Bad input: one line that names the field or option at fault.

    The command line prints it without a traceback and exits with status 2.
    """
