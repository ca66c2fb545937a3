"""Set-up of all tests."""

import signal


def pytest_configure() -> None:
    """Has Ctrl-C heard where a shell started the tests in the background, which ignores it.

    Processes inherit what is ignored, so the commands that tests interrupt would be deaf too.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
