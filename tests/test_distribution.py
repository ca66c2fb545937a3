"""What is installed: one top-level name, with everything that runs need in it."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with sdist and wheel; the wheel is built from the sdist, as installers do."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> zipfile.ZipFile:
    (path,) = built.glob("*.whl")
    return zipfile.ZipFile(path)


@pytest.fixture(scope="module")
def installed(wheel: zipfile.ZipFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel unpacked, which is what installing does."""
    folder = tmp_path_factory.mktemp("site")
    wheel.extractall(folder)
    return folder


def _run(code: str, folder: Path, installed: Path) -> str:
    """Runs code in a folder of the user's, against the installed package alone."""
    before = f"import sys; sys.path.insert(1, {str(installed)!r})\n"
    done = subprocess.run(
        [sys.executable, "-c", before + code], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_wheel_has_one_top_level_name(wheel):
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"dsct_gym"}


def test_nothing_is_left_out_of_the_wheel(wheel):
    tracked = subprocess.run(
        ["git", "ls-files", "dsct_gym", "agents", "baselines", "training"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if tracked.returncode:
        pytest.skip("not a git checkout")
    expected = {
        path if path.startswith("dsct_gym/") else f"dsct_gym/{path}"
        for path in tracked.stdout.splitlines()
        if not (ROOT / path).is_symlink() and (ROOT / path).exists()
    }
    assert expected - set(wheel.namelist()) == set()


def test_the_sdist_holds_the_same_package(built, wheel):
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    package = {name for name in wheel.namelist() if name.startswith("dsct_gym/")}
    assert package <= names


def test_modules_of_the_same_name_beside_it_break_nothing(installed, tmp_path):
    """A user's own ``agents.py``, or the package of that name, wins its name and loses nothing."""
    for name in ("agents", "baselines", "training"):
        (tmp_path / f"{name}.py").write_text("MINE = True\n", encoding="utf-8")
    told = _run(
        "import agents, baselines, training, dsct_gym\n"
        "from importlib import import_module\n"
        "assert agents.MINE and baselines.MINE and training.MINE\n"
        "instance = dsct_gym.generate(4, 2, seed=0)\n"
        "from dsct_gym.baselines.approx import Approx\n"
        "from dsct_gym.agents.rl import RlGreedy\n"
        "import dsct_gym.training.config\n"
        "print(dsct_gym.__file__)\n"
        "print(Approx().solve(instance).schedule.verify().ok)",
        tmp_path,
        installed,
    )
    assert told.splitlines() == [str(installed / "dsct_gym" / "__init__.py"), "True"]


def test_solvers_are_found_below_the_package(wheel):
    (entry_points,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    for line in wheel.read(entry_points).decode().splitlines():
        if " = " in line:
            assert line.partition(" = ")[2].startswith("dsct_gym.")
