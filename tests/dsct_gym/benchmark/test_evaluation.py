import csv
import io
import math
from collections.abc import Mapping
from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import pytest

from dsct_gym import InputError, generate
from dsct_gym.benchmark.entrants import Entrant, parse_agents
from dsct_gym.benchmark.evaluation import (
    BASELINE,
    Group,
    Planned,
    Standing,
    Standings,
    jobs_of,
    plan,
    rank,
    rows_as_csv,
    size_group,
    suite_group,
)
from dsct_gym.benchmark.execution import run_job
from dsct_gym.benchmark.record import Record
from dsct_gym.benchmark.spec import Spec
from dsct_gym.benchmark.statistics import ratio_interval
from dsct_gym.generator import Scenario
from records import record

SAME = Entrant("same", (Spec("dsct_gym.baselines.approx_refined:ApproxRefined"),))
ANNEALING = Entrant("annealing", (Spec("annealing", {"moves": 2_000}),))


def named(label: str, variants: int = 1) -> Entrant:
    """Somebody who never runs: records stand for what it would do."""
    return Entrant(label, tuple(Spec(label, {"number": index}) for index in range(variants)))


def made(*labels: str) -> Group:
    return Group("hand", "made", {label: generate(10, 2, seed=k) for k, label in enumerate(labels)})


def standings_of(totals: Mapping[str, list[list[float]]], **changes: object) -> Standings:
    """Ranks entrants by totals [variant][instance] that are given; bounds are 8, tasks 10."""
    labels = [f"i{index}" for index in range(len(next(iter(totals.values()))[0]))]
    group = made(*labels)
    entrants = [
        named(label, len(rows)) for label, rows in totals.items() if label != BASELINE.label
    ]
    planned = plan([group], entrants, reference_moves=0)
    records = {}
    for each in planned:
        assert each.entrant is not None
        total = totals[each.entrant.label][each.variant][labels.index(each.job.label)]
        records[each.job.key] = record(each.job.label, each.job.solver.label, total, **changes)
    found = rank(group, planned, records)
    assert found is not None
    return found


def by_label(found: Standings) -> dict[str, Standing]:
    return {row.score.solver: row for row in found.entrants}


def run_all(planned: list[Planned]) -> dict[str, Record]:
    runs = [run_job(job) for job in jobs_of(planned)]
    return {run.job.key: run.record for run in runs if run.record is not None}


class TestStandings:
    def test_by_hand(self):
        found = standings_of(
            {
                "approx-refined": [[6.0, 5.0]],
                "x": [[7.0, 5.0]],
                "y": [[8.0, 4.5]],
                "z": [[5.0, 6.0]],
            }
        )
        rows = by_label(found)
        assert list(rows) == ["approx-refined", "x", "y", "z"]
        # Best known 8 and 6: there is 2 + 1 to gain.
        closed = {label: row.closed.mean for label, row in rows.items() if row.closed}
        assert closed == pytest.approx(
            {"approx-refined": 0.0, "x": 1 / 3, "y": (2.0 - 0.5) / 3, "z": 0.0}
        )
        outcomes = {label: (row.wins, row.ties, row.losses) for label, row in rows.items()}
        assert outcomes == {
            "approx-refined": (0, 2, 0),
            "x": (1, 1, 0),
            "y": (1, 0, 1),
            "z": (1, 0, 1),
        }
        assert rows["x"].score.gap == pytest.approx((1 / 8 + 3 / 8) / 2)
        assert found.best_accuracy == pytest.approx(0.7)
        assert found.best_gap == pytest.approx((0.0 + 2 / 8) / 2)

    def test_rounding_is_a_tie(self):
        found = standings_of(
            {
                "approx-refined": [[6.0] * 4],
                "x": [[6.0 + 1e-10, 6.0 - 1e-10, 6.0 + 1e-7, 6.0 - 1e-7]],
            }
        )
        row = by_label(found)["x"]
        assert (row.wins, row.ties, row.losses) == (1, 2, 1)

    def test_training_seeds_are_averaged_and_widen_the_interval(self):
        first, best = [[4.0] * 6], [[8.0] * 6]
        alike = standings_of({"approx-refined": first, "best": best, "x": [[7.0] * 6] * 2})
        apart = standings_of({"approx-refined": first, "best": best, "x": [[8.0] * 6, [6.0] * 6]})
        one, two = by_label(alike)["x"], by_label(apart)["x"]
        assert one.training_seeds == two.training_seeds == 2
        assert one.closed is not None
        assert two.closed is not None
        assert astuple(one.closed) == pytest.approx((0.75, 0.75, 0.75))
        assert astuple(two.closed) == pytest.approx((0.75, 0.5, 1.0))
        assert two.wins == 6

    def test_nothing_to_close(self):
        found = standings_of({"approx-refined": [[6.0, 5.0]], "x": [[5.0, 5.0]]})
        assert [row.closed for row in found.entrants] == [None, None]

    def test_a_bound_that_a_schedule_exceeds_is_told_and_does_not_count(self):
        found = standings_of({"approx-refined": [[6.0]], "x": [[7.0]]}, proven_bound=6.5)
        assert {record.solver for record in found.refuted} == {"approx-refined", "x"}
        assert found.best_gap == pytest.approx(1 / 8)

    def test_instances_that_are_not_done_by_all_are_left_out(self):
        group = made("a", "b")
        planned = plan([group], [named("x")], reference_moves=0)
        a_alone = {
            each.job.key: record("a", each.job.solver.label, 6.0)
            for each in planned
            if each.job.label == "a"
        }
        first_of_b = next(each.job for each in planned if each.job.label == "b")
        some = {**a_alone, first_of_b.key: record("b", "approx-refined", 6.0)}
        found = rank(group, planned, some)
        assert found is not None
        assert found.instances == ("a",)
        assert rank(group, planned, {first_of_b.key: some[first_of_b.key]}) is None

    def test_references_of_a_suite_are_what_is_known_until_somebody_is_better(self):
        tiny = suite_group("tiny")
        label, low, high = (*list(tiny.instances)[:1], 0.9, 1.0)
        known = tiny.references[label]
        for share, raised in ((low, True), (high, False)):
            reference = replace(known, value=share * known.value)
            group = Group("one", "", {label: known.instance}, {label: reference})
            planned = plan([group], [ANNEALING])
            found = rank(group, planned, run_all(planned))
            assert found is not None
            assert bool(found.raised) == raised
            assert found.best_accuracy == pytest.approx(known.mean_accuracy, rel=1e-3)
            assert found.best_gap <= 1e-3
        assert by_label(found)["annealing"].closed is not None


class TestRuns:
    @pytest.fixture(scope="class")
    @classmethod
    def found(cls) -> Standings:
        group = size_group("12x3", 3, 0)
        broken = Entrant("broken", (Spec("stub_solvers:Broken"),))
        cheating = Entrant("cheating", (Spec("stub_solvers:Cheating"),))
        planned = plan([group], [SAME, ANNEALING, broken, cheating], reference_moves=100)
        found = rank(group, planned, run_all(planned))
        assert found is not None
        return found

    def test_its_equal_closes_nothing_and_ties_everywhere(self, found):
        row = by_label(found)["same"]
        assert (row.wins, row.ties, row.losses) == (0, 3, 0)
        assert row.closed is not None
        assert (row.closed.mean, row.closed.low, row.closed.high) == (0.0, 0.0, 0.0)

    def test_annealing_closes_some_of_the_gap(self, found):
        row = by_label(found)["annealing"]
        assert row.closed is not None
        assert 0.0 < row.closed.mean <= 1.0
        assert row.wins > 0
        assert row.losses == 0

    @pytest.mark.parametrize("label", ["broken", "cheating"])
    def test_what_is_no_schedule_counts_as_an_empty_one(self, found, label):
        row = by_label(found)[label]
        base = np.mean([i.base_accuracy.mean() for i in found.group.instances.values()])
        assert row.score.failures == row.score.runs == 3
        assert row.score.mean_accuracy.mean == pytest.approx(base)
        assert row.losses == 3

    def test_rows_are_the_runs(self, found):
        rows = list(csv.DictReader(io.StringIO(rows_as_csv([found]))))
        assert [(row["instance"], row["agent"]) for row in rows] == [
            (label, agent)
            for label in found.instances
            for agent in ("approx-refined", "same", "annealing", "broken", "cheating")
        ]
        for row in rows:
            values = [float(row[key]) for key in ("approx_refined", "best_known", "upper_bound")]
            assert values == sorted(values)
            assert float(row["mean_accuracy"]) <= values[1]
        outcomes = [row["against_approx_refined"] for row in rows if row["agent"] == "same"]
        assert outcomes == ["tie"] * 3
        assert "no idea" in rows[3]["message"]

    def test_are_the_same_again(self, found):
        planned = plan([found.group], [SAME, ANNEALING], reference_moves=100)
        again = rank(found.group, planned, run_all(planned))
        assert again is not None
        for row in again.entrants:
            before = by_label(found)[row.score.solver]
            assert row.score.mean_accuracy == before.score.mean_accuracy
            assert row.closed == before.closed


class TestPlan:
    def test_everybody_runs_once_and_approx_refined_always(self):
        group = size_group("6x2", 2, 0)
        twice = [BASELINE, named("x", 2)]
        planned = plan([group], twice, reference_moves=0)
        assert [(p.entrant.label, p.variant) for p in planned if p.entrant] == [
            ("approx-refined", 0),
            ("x", 0),
            ("x", 1),
        ] * 2

    def test_only_what_is_random_gets_several_seeds(self):
        group = size_group("6x2", 1, 0)
        entrants = [Entrant("random", (Spec("random"),)), SAME]
        planned = plan([group], entrants, seeds=range(4, 7), reference_moves=0)
        assert [(p.entrant.label, p.job.seed) for p in planned if p.entrant] == [
            ("approx-refined", 4),
            ("random", 4),
            ("random", 5),
            ("random", 6),
            ("same", 4),
        ]

    def test_drawn_instances_get_reference_runs_and_suites_none(self):
        drawn, tiny = size_group("6x2", 2, 0), suite_group("tiny")
        planned = plan([drawn, tiny], [], time_limit=1.0, reference_moves=50)
        references = [each for each in planned if each.entrant is None]
        assert {each.group for each in references} == {"6x2"}
        assert [each.job.seed for each in references] == [0, 1, 2] * 2
        assert all(each.job.solver.options == {"moves": 300} for each in references)
        assert all(each.job.time_limit is None for each in references)

    def test_what_is_planned_twice_is_run_once(self):
        group = size_group("6x2", 1, 0)
        entrants = [Entrant("a", (Spec("annealing", {"moves": 300}),))]
        planned = plan([group], entrants, reference_moves=50)
        assert len(planned) == 5
        assert len(jobs_of(planned)) == 4


class TestInstances:
    def test_come_from_a_stream_of_their_own(self):
        scenario = Scenario(n=7, m=2, mu=(1.0, 20.0), rho=(0.2, 1.0), beta=(0.1, 1.0))
        drawn = list(size_group("7x2", 3, 5).instances.values())
        for index, instance in enumerate(drawn):
            rng = np.random.default_rng((0xE7A1, 7, 2, index, 5))
            assert instance == scenario.sample(rng, name=instance.name)

    def test_fewer_are_the_first_of_more_and_seeds_differ(self):
        many, few = size_group("7x2", 4, 5).instances, size_group("7x2", 2, 5).instances
        assert list(many.items())[:2] == list(few.items())
        other = size_group("7x2", 4, 6).instances
        budgets = {i.energy_budget for i in [*many.values(), *other.values()]}
        assert len(budgets) == 8
        assert not set(many) & set(other)

    def test_have_the_published_ranges(self):
        found = []
        for instance in size_group("20x3", 60, 0).instances.values():
            horizon = instance.deadlines.max()
            power = (instance.speeds / instance.efficiencies).sum()
            found.append(
                (
                    instance.max_work.max() / instance.max_work.min(),
                    horizon * instance.speeds.sum() / instance.max_work.sum(),
                    instance.energy_budget / (horizon * power),
                )
            )
        low, high = np.min(found, axis=0), np.max(found, axis=0)
        assert (low >= np.array([1.0, 0.2, 0.1]) - 1e-9).all()
        assert (high <= np.array([20.0, 1.0, 1.0]) + 1e-9).all()
        assert (high - low > 0.8 * np.array([19.0, 0.8, 0.9])).all()

    @pytest.mark.parametrize("size", ["", "50", "50x", "x5", "50x5x2", "-1x5", "0x5", "5x0", "axb"])
    def test_a_size_that_is_none(self, size):
        with pytest.raises(InputError, match="--size"):
            size_group(size, 1, 0)


class TestRatioInterval:
    def test_is_the_ratio_of_means(self):
        parts = np.array([[1.0, 0.0, 3.0], [2.0, 2.0, 1.0]])
        found = ratio_interval(parts, np.array([4.0, 0.0, 2.0]))
        assert found.mean == pytest.approx(1.5 / 2.0)
        assert found.low < found.mean < found.high

    def test_a_constant_share_has_no_width(self):
        wholes = np.array([4.0, 1.0, 2.0])
        found = ratio_interval(0.5 * wholes[None, :], wholes)
        assert (found.mean, found.low, found.high) == pytest.approx((0.5, 0.5, 0.5))

    def test_of_one_row_is_near_the_normal_approximation(self):
        rng = np.random.default_rng(1)
        parts = rng.normal(0.8, 0.2, size=(1, 400))
        found = ratio_interval(parts, np.ones(400))
        half = 1.96 * 0.2 / math.sqrt(400)
        assert found.high - found.low == pytest.approx(2.0 * half, rel=0.15)

    @pytest.mark.parametrize(("rows", "spread", "least"), [(1, 0.0, 0.9), (12, 0.1, 0.86)])
    def test_covers(self, rows, spread, least):
        """Intervals from 120 samples of a known ratio, 0.8; rows differ by ``spread``."""
        rng = np.random.default_rng(7)
        covered = 0
        for _ in range(120):
            wholes = rng.uniform(0.5, 1.5, size=30)
            shares = 0.8 + rng.normal(0.0, spread, size=(rows, 1))
            parts = shares * wholes + rng.normal(0.0, 0.2, size=(1, 30))
            found = ratio_interval(parts, wholes)
            covered += found.low <= 0.8 <= found.high
        assert least <= covered / 120 < 1.0


class TestAgents:
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        for name in ("a/policy.safetensors", "mine-0/policy.safetensors"):
            (tmp_path / name).parent.mkdir()
            (tmp_path / name).touch()
        for name in ("mine-1", "other"):
            (tmp_path / name).mkdir()
        for name in ("mine-1/policy.safetensors", "other/a.safetensors", "x.zip", "y.zip"):
            (tmp_path / name).touch()

    def read(self, *arguments: str, **options: bool) -> dict[str, Entrant]:
        found = parse_agents(arguments, "rl-greedy,rl[moves=3]", **options)
        assert len({entrant.label for entrant in found}) == len(found)
        return {entrant.label: entrant for entrant in found}

    def test_solvers(self):
        found = self.read("greedy", "annealing[moves=5,x=a]", "pack.age:Class", "greedy")
        assert list(found) == ["greedy", "annealing[moves=5,x=a]", "pack.age:Class"]
        assert found["annealing[moves=5,x=a]"].variants == (
            Spec("annealing", {"moves": 5, "x": "a"}),
        )

    def test_a_checkpoint_is_played_by_each_decoder(self):
        found = self.read("a/policy.safetensors")
        assert list(found) == ["rl-greedy[a]", "rl[moves=3,a]"]
        assert found["rl[moves=3,a]"].solver == "rl"
        assert found["rl[moves=3,a]"].variants == (
            Spec("rl", {"moves": 3, "checkpoint": "a/policy.safetensors"}),
        )

    def test_or_by_its_own(self):
        found = self.read("a/policy.safetensors+rl-sample[samples=2]", "other/a.safetensors+rl")
        assert list(found) == ["rl-sample[samples=2,a]", "rl[a]"]

    @pytest.mark.parametrize(
        "files",
        ["mine-*/policy.safetensors", "mine-0/policy.safetensors,mine-1/policy.safetensors"],
    )
    def test_several_files_are_training_seeds(self, files):
        found = self.read(files + "+rl")
        assert [v.options["checkpoint"] for v in found["rl[mine-* ×2]"].variants] == [
            "mine-0/policy.safetensors",
            "mine-1/policy.safetensors",
        ]
        assert list(self.read("*/*.safetensors+rl")) == ["rl[4 files]"]

    def test_labels_that_would_be_the_same_name_the_files(self):
        found = self.read("a/policy.safetensors+rl", "other/a.safetensors+rl")
        assert list(found) == ["rl[a/policy.safetensors]", "rl[other/a.safetensors]"]

    def test_zip_files_need_trust(self):
        with pytest.raises(InputError, match=r"^x\.zip: .*--trust-pickle"):
            self.read("x.zip")
        found = self.read("x.zip,y.zip", trust_pickle=True)
        assert [spec.options for spec in found["sb3[2 files]"].variants] == [
            {"path": "x.zip", "trust_pickle": True},
            {"path": "y.zip", "trust_pickle": True},
        ]

    @pytest.mark.parametrize(
        ("argument", "named"),
        [
            ("greedy,approx", "one solver"),
            ("", "one solver"),
            ("rl[moves", "brackets"),
            ("nope.safetensors", "nope.safetensors: no such file"),
            ("nope-*.safetensors", r"nope-\*"),
            ("x.zip,a/policy.safetensors", "x.zip: expected a file"),
            ("a/policy.safetensors+", "no decoder"),
        ],
    )
    def test_refuses(self, argument, named):
        with pytest.raises(InputError, match=named):
            self.read(argument)
