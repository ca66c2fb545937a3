import subprocess
import sys

import pytest

import dsct_gym


def test_every_public_name_is_what_its_module_defines():
    for name in dsct_gym.__all__:
        found = getattr(dsct_gym, name)
        assert found.__name__ == name
        assert found.__module__.startswith("dsct_gym.")
        assert callable(found)


def test_public_names_are_listed():
    assert set(dsct_gym.__all__) <= set(dir(dsct_gym))
    assert dsct_gym.__all__ == sorted(dsct_gym.__all__)


def test_other_names_are_refused():
    with pytest.raises(AttributeError, match="frobnicate"):
        _ = dsct_gym.frobnicate


def test_submodules_do_not_take_the_place_of_functions():
    script = (
        "import dsct_gym.generator, dsct_gym.allocation, dsct_gym.relaxation, dsct_gym.solver\n"
        "import dsct_gym, sys\n"
        "sys.exit(sum(not callable(getattr(dsct_gym, name)) for name in dsct_gym.__all__))"
    )
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0


def test_importing_it_imports_nothing_heavy():
    heavy = ("gymnasium", "matplotlib", "numba", "numpy", "pydantic", "scipy", "torch")
    script = f"import sys, dsct_gym; sys.exit(sum(name in sys.modules for name in {heavy}))"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
