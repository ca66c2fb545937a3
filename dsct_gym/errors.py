"""What is raised and warned of where a user, or a program that a solver needs, is at fault."""


class InputError(ValueError):
    """Bad input: one line that names the field or option at fault.

    The command line prints it without a traceback and exits with status 2.
    """


class SolverWarning(UserWarning):
    """A solver has less to offer than was asked for: one line that says what and why.

    What it returns is sound all the same: the best schedule until then, and a bound that holds.
    """
