import importlib
import sys

import pytest

from dsct_gym.benchmark import source_code
from dsct_gym.benchmark.source_code import digest_of
from dsct_gym.benchmark.spec import Spec

SOLVER = """
from home_helper import help_out
import numpy

class Mine:
    def solve(self, instance, *, time_limit=None, seed=None):
        from home_lazy import later
        return help_out(later)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "home_solver.py").write_text(SOLVER)
    (tmp_path / "home_helper.py").write_text("def help_out(x): return x\n")
    (tmp_path / "home_lazy.py").write_text("later = 1\n")
    (tmp_path / "home_other.py").write_text("other = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    forget()
    yield tmp_path
    for name in ("home_solver", "home_helper", "home_lazy"):
        sys.modules.pop(name, None)
    forget()


def forget() -> None:
    """As in another process."""
    for kept in (source_code._digest_of_modules, source_code._spec_of, source_code._imports):
        kept.cache_clear()


@pytest.mark.parametrize("file", ["home_solver.py", "home_helper.py", "home_lazy.py"])
def test_a_change_of_the_solver_or_of_what_it_imports_is_seen(folder, file):
    first = digest_of(Spec("home_solver:Mine"))
    assert first is not None
    forget()
    assert digest_of(Spec("home_solver:Mine")) == first
    (folder / file).write_text((folder / file).read_text() + "# changed\n")
    forget()
    assert digest_of(Spec("home_solver:Mine")) != first


def test_what_it_does_not_import_is_not_its_code(folder):
    first = digest_of(Spec("home_solver:Mine"))
    (folder / "home_other.py").write_text("other = 2\n")
    forget()
    assert digest_of(Spec("home_solver:Mine")) == first
    assert "home_lazy" not in sys.modules  # it is looked at, not run


def test_the_bytes_of_a_checkpoint_count_and_its_path_does_not(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"1")
    other.write_bytes(b"1")
    digests = [digest_of(Spec("greedy", {"checkpoint": str(path)})) for path in (one, other)]
    assert digests[0] == digests[1] != digest_of(Spec("greedy"))
    one.write_bytes(b"2")
    assert digest_of(Spec("greedy", {"checkpoint": str(one)})) != digests[0]


def test_solvers_differ_and_what_there_is_not_has_none():
    digests = {digest_of(Spec(name)) for name in ("greedy", "mip", "rl")}
    assert len(digests) == 3
    assert None not in digests
    assert digest_of(Spec("nobody")) is None


def test_weights_that_ship_count():
    from dsct_gym.agents import rl

    folder = rl.SHIPPED.parents[1]
    named = source_code._named_files(rl.__name__, folder)
    assert sorted(named) == [rl.SHIPPED_PARTNERS, rl.SHIPPED]
