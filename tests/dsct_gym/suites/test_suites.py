import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dsct_gym import Instance, Schedule, make_solver
from dsct_gym.allocation import allocate
from dsct_gym.bounds import find_bound
from dsct_gym.catalog.clocks import clocks
from dsct_gym.certificate import Certificate, CertifiedBound
from dsct_gym.cli import run
from dsct_gym.documents import schedule_document
from dsct_gym.errors import InputError
from dsct_gym.files import instance_text
from dsct_gym.points import DvfsInstance
from dsct_gym.relaxation import upper_bound
from dsct_gym.schedule import nothing_done, value
from dsct_gym.suites.improving import improve, write_references
from dsct_gym.suites.suite import Reference, Row, checksum, load_suite, read_references, suites
from dsct_gym.suites.training_split import TrainingSplit
from dsct_gym.tolerances import CLAIM
from toy_variant import FinedInstance, Punctual

DATA = Path(__file__).parents[3] / "dsct_gym" / "suites" / "data"

SIZES = {  # tasks, machines
    "tiny": ((4, 12), (2, 4)),
    "small": ((20, 50), (3, 5)),
    "medium": ((100, 200), (5, 10)),
    "large": ((1_000, 10_000), (10, 50)),
    "devices": ((30, 120), (3, 8)),
    "dvfs": ((6, 200), (2, 8)),
    "online-poisson": ((20, 1_100), (3, 16)),
    "online-bursty": ((20, 1_100), (3, 16)),
    "online-trace": ((20, 1_100), (3, 16)),
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
        assert tasks[0] <= instance.core.num_tasks <= tasks[1]
        assert machines[0] <= instance.core.num_machines <= machines[1]
    assert suite.reference(str(suite[3].name)).instance is suite[3]


def test_best_known_schedules_are_feasible_and_as_good_as_said() -> None:
    for known in all_references():
        schedule = known.schedule()
        assert schedule.verify().reasons == ()
        assert schedule.total_accuracy == pytest.approx(known.total_accuracy, rel=1e-12)


def test_bounds_lie_between_best_known_and_relaxation() -> None:
    for known in all_references():
        fractional = upper_bound(known.instance)
        assert known.upper_bound >= known.value - CLAIM * max(1.0, abs(known.value))
        assert known.upper_bound <= fractional + CLAIM * max(1.0, abs(fractional))


def test_clocks_are_of_three_sizes_and_half_of_them_measured() -> None:
    suite = load_suite("dvfs")
    assert suite.needs == {"points"}
    sizes = [problem.core.num_tasks for problem in suite]
    for k, (least, most) in enumerate(((6, 15), (30, 50), (100, 200))):
        assert all(least <= size <= most for size in sizes[8 * k : 8 * k + 8])
    measured = 0
    for problem in suite:
        assert isinstance(problem, DvfsInstance)
        assert all(points.size >= 4 for points in problem.points)
        if problem.core.machine_names is not None:
            measured += 1
            for name, points in zip(problem.core.machine_names, problem.points, strict=True):
                drawn = {clock.power_watts for clock in clocks(str(name))}
                assert all(np.isclose(list(drawn), power).any() for power in points.powers)
    assert measured == 12
    assert all(known.proven for known in suite.references[:8])


@pytest.mark.parametrize("index", [0, 1, 6])
def test_what_is_proven_of_clocks_another_solver_proves(index: int) -> None:
    """`exact` claims the bounds; the mixed-integer programme shares nothing with its columns."""
    pytest.importorskip("pyomo")
    known = load_suite("dvfs").references[index]
    found = make_solver("mip", start="greedy").solve(known.instance, time_limit=30)
    assert found.upper_bound is not None
    assert found.schedule.total_accuracy == pytest.approx(known.value, rel=2e-5)
    assert found.upper_bound == pytest.approx(known.upper_bound, rel=2e-5)


def test_bench_refuses_those_that_do_not_know_clocks_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["bench", "--suite", "dvfs", "--solvers", "greedy,rl-greedy", "-o", str(tmp_path)]
    assert run(asked) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "rl-greedy" in line]
    assert "has points, which 'rl-greedy' does not know" in line
    assert not list(tmp_path.rglob("*.json"))


def test_a_variant_has_no_training_split() -> None:
    with pytest.raises(InputError, match="suite: 'dvfs' needs points, which no training split"):
        TrainingSplit("dvfs")


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
    assert (row["found_by"], row["bound_by"]) == ("me", "me, claimed")
    assert improve(tmp_path / "results", copied)[0].values == 0
    load_suite.cache_clear()


@pytest.fixture
def proof() -> Certificate:
    """Prices for the first instance of `tiny` that prove less than what is claimed there."""
    found = find_bound("columns")(load_suite("tiny").references[0].instance)
    assert isinstance(found, CertifiedBound)
    return found.certificate


def test_improve_takes_what_a_certificate_proves_and_keeps_it(
    tmp_path: Path, copied: Path, proof: Certificate
) -> None:
    instance = load_suite("tiny").references[0].instance
    (tmp_path / "results").mkdir()
    proof.save(tmp_path / "results" / "proof.json")
    for bound, by in ((99.0, "x"), (proof.upper_bound, "x, claimed")):
        rewrite(copied, "tiny", upper_bound=bound, bound_by=by)
        (improvement,) = improve(tmp_path / "results", copied)
        assert (improvement.read, improvement.values, improvement.bounds) == (1, 0, 1)
        row = first(copied, "tiny")
        assert row["bound_by"] == "columns"
        kept = Certificate.load(copied / "tiny" / "certificates" / "tiny-00.json")
        assert isinstance(instance, Instance)
        assert kept.prove(instance) == row["upper_bound"] == kept.upper_bound
        assert improve(tmp_path / "results", copied)[0].bounds == 0


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"task_prices": [0.1]}, "task_prices: 1 prices for 7 tasks"),
        ({"energy_price": -1.0}, "energy_price: must be at least 0, got -1.0"),
        ({"energy_price": 0.0, "upper_bound": 0.0}, None),
    ],
)
def test_improve_believes_no_forged_certificate(
    tmp_path: Path,
    copied: Path,
    proof: Certificate,
    fields: dict[str, object],
    refused: str | None,
) -> None:
    before = (copied / "tiny" / "references.json").read_bytes()
    (tmp_path / "results").mkdir()
    path = tmp_path / "results" / "proof.json"
    path.write_text(json.dumps({**proof.document(), **fields}))
    (improvement,) = improve(tmp_path / "results", copied)
    assert improvement.bounds == 0
    assert improvement.refused == (() if refused is None else (f"{path}: {refused}",))
    assert (copied / "tiny" / "references.json").read_bytes() == before
    assert not (copied / "tiny" / "certificates").exists()


def test_improve_allocates_anew_where_machines_have_clocks(tmp_path: Path, copied: Path) -> None:
    known = load_suite("dvfs").references[0]
    nothing = [-1] * known.instance.core.num_tasks
    rewrite(copied, "dvfs", total_accuracy=0.0, machine_of=nothing)
    assert known.machine_of is not None
    write_result(tmp_path / "results", known, known.machine_of, solver="me")
    (improvement,) = improve(tmp_path / "results", copied)
    assert (improvement.values, improvement.refused) == (1, ())
    row = first(copied, "dvfs")
    assert row["machine_of"] == known.machine_of.tolist()
    assert row["total_accuracy"] == pytest.approx(known.value, rel=1e-9)


def test_improve_needs_no_proof_of_the_fractional_bound(tmp_path: Path, copied: Path) -> None:
    known = load_suite("tiny").references[0]
    fractional = upper_bound(known.instance)
    rewrite(copied, "tiny", upper_bound=99.0)
    write_result(tmp_path / "results", known, known.machine_of, upper_bound=fractional + 0.5)
    assert improve(tmp_path / "results", copied)[0].bounds == 1
    row = first(copied, "tiny")
    assert (row["upper_bound"], row["bound_by"]) == (fractional, "fractional")


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


def test_the_folder_that_is_improved_is_the_one_that_is_read(tmp_path: Path, copied: Path) -> None:
    """What an earlier run put there is not undone by the package's own references."""
    known = load_suite("tiny").references[0]
    rewrite(copied, "tiny", upper_bound=known.upper_bound - 1e-9, bound_by="earlier")
    second = load_suite("tiny").references[1]
    document = json.loads((copied / "tiny" / "references.json").read_text())
    document["references"][1].update(
        total_accuracy=0.0, machine_of=[-1] * second.instance.core.num_tasks
    )
    (copied / "tiny" / "references.json").write_text(json.dumps(document))
    assert second.machine_of is not None
    write_result(tmp_path / "results", second, second.machine_of)
    (improvement,) = improve(tmp_path / "results", copied)
    assert improvement.values == 1
    assert first(copied, "tiny")["bound_by"] == "earlier"


class TestReferences:
    """Those of a variant hold a schedule: an assignment does not say when and how much."""

    @pytest.fixture
    def problem(self) -> FinedInstance:
        core = Instance(
            speeds=[1.0],
            efficiencies=[1.0],
            deadlines=[2.0, 3.0],
            work=[[0.0, 1.0, 2.0]] * 2,
            accuracy=[[0.0, 0.5, 0.6]] * 2,
            energy_budget=3.0,
            name="late",
        )
        return FinedInstance(core, np.array([2.0, 0.25]), 1.5)

    @pytest.fixture
    def known(self, problem: FinedInstance) -> Reference:
        schedule = Punctual().solve(problem).schedule
        return Reference(
            problem, -1.5, "punctual", -1.0, "me", document=schedule_document(schedule)
        )

    def test_value_schedule_and_gap(self, known: Reference) -> None:
        assert known.schedule().verify()
        assert value(known.schedule()) == known.value == -1.5
        assert known.total_accuracy == 0.5
        # Idleness costs 2.25: 0.5 of the 1.25 above it are missing.
        assert known.gap == pytest.approx(0.5 / 1.25)
        assert not known.proven
        assert replace(known, upper_bound=-1.5).proven

    def test_rows_read_back(self, known: Reference, problem: FinedInstance) -> None:
        for reference in (known, load_suite("tiny").references[0]):
            row = Row.model_validate_json(Row.of(reference).model_dump_json())
            again = row.reference(reference.instance)
            assert Row.of(again) == Row.of(reference)
            assert again.schedule().total_accuracy == reference.schedule().total_accuracy

    @pytest.mark.parametrize(
        "fields",
        [
            {"total_accuracy": 1.0},
            {"value": 1.0},
            {"total_accuracy": 1.0, "schedule": {}},
            {"value": 1.0, "machine_of": [0]},
            {"total_accuracy": 1.0, "machine_of": [0], "value": 1.0},
        ],
    )
    def test_a_row_has_one_of_two_forms(self, copied: Path, fields: dict[str, object]) -> None:
        path = copied / "tiny" / "references.json"
        row = {"instance": "a", "found_by": "x", "upper_bound": 1.0, "bound_by": "x"}
        path.write_text(json.dumps({"references": [{**row, **fields}]}))
        with pytest.raises(InputError, match=r"^tiny/references\.json: references\[0\]: needs"):
            read_references(copied / "tiny")

    def test_a_suite_of_a_variant_is_loaded_and_improved(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        problem: FinedInstance,
        known: Reference,
    ) -> None:
        folder = tmp_path / "data" / "fined"
        folder.mkdir(parents=True)
        content = instance_text(problem).encode()
        (folder / "late.json").write_bytes(content)
        manifest = {
            "description": "one that is fined",
            "order": 1,
            "needs": ["fines"],
            "baseline": "toy_variant:Punctual",
            "instances": [{"file": "late.json", "sha256": checksum(content)}],
        }
        (folder / "manifest.json").write_text(json.dumps(manifest))
        worse = Schedule.from_rows(problem, nothing_done(problem.core))
        write_references(
            folder,
            [Row.of(replace(known, value=-2.25, document=schedule_document(worse)))],
        )
        monkeypatch.setattr("dsct_gym.suites.suite.data_folder", lambda: tmp_path / "data")
        for cached in (load_suite, suites):
            cached.cache_clear()
        try:
            suite = load_suite("fined")
            assert (suite.needs, suite.baseline) == ({"fines"}, "toy_variant:Punctual")
            assert suite[0] == problem
            assert suite.reference("late").value == -2.25
            results = tmp_path / "results"
            results.mkdir()
            known.schedule().save(results / "s.json")
            (improvement,) = improve(results, tmp_path / "data")
            assert (improvement.values, improvement.bounds, improvement.refused) == (1, 0, ())
            assert load_suite("fined").reference("late").value == -1.5
            (folder / "manifest.json").write_text(json.dumps({**manifest, "needs": []}))
            load_suite.cache_clear()
            with pytest.raises(InputError, match="needs: late needs fines"):
                load_suite("fined")
        finally:
            for cached in (load_suite, suites):
                cached.cache_clear()
