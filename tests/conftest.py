"""Set-up of all tests."""

import signal
from importlib.util import find_spec

import pytest

LEARNING = find_spec("torch") is not None and find_spec("stable_baselines3") is not None
NEED_TORCH = (
    "agents/test_checkpoint.py",
    "agents/test_policy.py",
    "agents/test_shipped.py",
    "training/test_policy_gradient.py",
    "training/test_policy_iteration.py",
    "training/test_run.py",
)
collect_ignore = [] if LEARNING else list(NEED_TORCH)


def pytest_configure(config: pytest.Config) -> None:
    """Has Ctrl-C heard where a shell started the tests in the background, which ignores it.

    Processes inherit what is ignored, so the commands that tests interrupt would be deaf too.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line("markers", "learning: needs what the extra 'rl' brings")


def pytest_report_header() -> str | None:
    """Says what is left out without the extra 'rl'."""
    if LEARNING:
        return None
    return f"extra 'rl' is not installed, not run: {', '.join(NEED_TORCH)}, tests marked learning"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips what needs the extra 'rl' where it is not installed."""
    if not LEARNING and item.get_closest_marker("learning"):
        pytest.skip("extra 'rl' is not installed")
