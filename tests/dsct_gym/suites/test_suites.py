import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from dsct_gym.allocation import allocate
from dsct_gym.errors import InputError
from dsct_gym.relaxation import upper_bound
from dsct_gym.suites.improving import improve
from dsct_gym.suites.suite import Reference, load_suite, suites
from dsct_gym.tolerances import CLAIM

DATA = Path(__file__).parents[3] / "dsct_gym" / "suites" / "data"

SIZES = {  # tasks, machines
    "tiny": ((4, 12), (2, 4)),
    "small": ((20, 50), (3, 5)),
    "medium": ((100, 200), (5, 10)),
    "large": ((1_000, 10_000), (10, 50)),
    "devices": ((30, 120), (3, 8)),
}


def all_references() -> list[Reference]:
    return [known for name in suites() for known in load_suite(name).references]


@pytest.mark.parametrize("name", SIZES)
def test_suites_hold_what_they_say(name: str) -> None:
    suite = load_suite(name)
    tasks, machines = SIZES[name]
    assert 20 <= len(suite) <= 40
    assert len({instance.name for instance in suite}) == len(suite)
    for instance in suite:
        assert tasks[0] <= instance.num_tasks <= tasks[1]
        assert machines[0] <= instance.num_machines <= machines[1]
    assert suite.reference(str(suite[3].name)).instance is suite[3]


def test_best_known_schedules_are_feasible_and_as_good_as_said() -> None:
    for known in all_references():
        schedule = known.schedule()
        assert schedule.verify().reasons == ()
        assert schedule.total_accuracy == pytest.approx(known.total_accuracy, rel=1e-12)


def test_bounds_lie_between_best_known_and_relaxation() -> None:
    for known in all_references():
        assert known.upper_bound >= known.total_accuracy * (1.0 - CLAIM)
        assert known.upper_bound <= upper_bound(known.instance) * (1.0 + CLAIM)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    shutil.copytree(DATA, tmp_path / "data")
    return tmp_path / "data"


def write_result(folder: Path, known: Reference, machine_of: np.ndarray, **claims: object) -> None:
    folder.mkdir(exist_ok=True)
    allocate(known.instance, machine_of).save(folder / f"{known.instance.name}.json")
    path = folder / f"{known.instance.name}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **claims}))


def rewrite(data: Path, name: str, **fields: object) -> None:
    """Overwrites fields of the first reference of a suite."""
    path = data / name / "references.json"
    document = json.loads(path.read_text())
    document["references"][0].update(fields)
    path.write_text(json.dumps(document))


def first(data: Path, name: str) -> dict[str, object]:
    row: dict[str, object] = json.loads((data / name / "references.json").read_text())[
        "references"
    ][0]
    return row


def test_improve_takes_what_is_better(
    tmp_path: Path, copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = load_suite("tiny").references[0]
    monkeypatch.setattr("dsct_gym.suites.suite.data_folder", lambda: copied)
    load_suite.cache_clear()
    nothing = [-1] * known.instance.num_tasks
    worthless = float(known.instance.base_accuracy.sum())
    rewrite(
        copied, "tiny", total_accuracy=worthless, machine_of=nothing, upper_bound=99.0, found_by="x"
    )
    write_result(
        tmp_path / "results", known, known.machine_of, solver="me", upper_bound=known.upper_bound
    )
    (improvement,) = improve(tmp_path / "results", copied)
    assert (improvement.read, improvement.values, improvement.bounds) == (1, 1, 1)
    assert improvement.refused == ()
    row = first(copied, "tiny")
    assert row["total_accuracy"] == pytest.approx(known.total_accuracy, rel=1e-12)
    assert (row["found_by"], row["bound_by"]) == ("me", "me")
    assert improve(tmp_path / "results", copied)[0].values == 0
    load_suite.cache_clear()


@pytest.mark.parametrize("claims", [{"total_accuracy": 99.0}, {"upper_bound": 0.0}])
def test_improve_refuses_what_does_not_hold(
    tmp_path: Path, copied: Path, claims: dict[str, float]
) -> None:
    known = load_suite("tiny").references[0]
    before = (copied / "tiny" / "references.json").read_bytes()
    write_result(tmp_path / "results", known, known.machine_of, **claims)
    (improvement,) = improve(tmp_path / "results", copied)
    assert len(improvement.refused) == 1
    assert (copied / "tiny" / "references.json").read_bytes() == before


def test_changed_files_are_noticed(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dsct_gym.suites.suite.data_folder", lambda: copied)
    load_suite.cache_clear()
    path = copied / "tiny" / "tiny-00.json"
    path.write_text(path.read_text().replace("0.001", "0.002", 1))
    with pytest.raises(InputError, match=r"tiny-00\.json: is not the file"):
        load_suite("tiny")
    load_suite.cache_clear()


def test_unknown_suites_are_named() -> None:
    with pytest.raises(InputError, match="no suite 'huge'; there are tiny"):
        load_suite("huge")
