import csv
import io
import json

import pytest

from dsct_gym.benchmark.record import Record, records_as_csv, relative_gap
from dsct_gym.benchmark.scoring import best_bounds, score
from records import record


class TestRecord:
    def test_gap_is_to_the_lesser_bound(self):
        assert record("a", "x", 6.0).gap == pytest.approx(0.25)
        proven = record("a", "x", 6.0, proven_bound=7.5)
        assert proven.gap == pytest.approx(0.2)
        assert proven.has_own_bound
        loose = record("a", "x", 6.0, proven_bound=9.0)
        assert loose.gap == pytest.approx(0.25)
        assert not loose.has_own_bound

    @pytest.mark.parametrize(
        ("total", "bound", "gap"), [(0, 0, 0), (8.0 + 1e-12, 8, 0), (0, 8, 1), (6, 8, 0.25)]
    )
    def test_relative_gap(self, total, bound, gap):
        assert relative_gap(total, bound) == gap

    def test_energy_share_of_no_budget_is_nil(self):
        assert record("a", "x", 6.0).energy_share == 0.75
        assert record("a", "x", 6.0, energy=0.0, energy_budget=0.0).energy_share == 0.0

    def test_json_and_csv_hold_every_field(self):
        kept = record("a", "x,y", 6.0)
        assert Record(**json.loads(kept.to_json())) == kept
        (row,) = csv.DictReader(io.StringIO(records_as_csv([kept])))
        assert row.keys() == json.loads(kept.to_json()).keys()
        assert (row["solver"], float(row["total_accuracy"])) == ("x,y", 6.0)


class TestScore:
    def test_by_hand(self):
        records = [
            record("a", "x", 6.0, seconds=1.0),
            record("b", "x", 4.0, seconds=3.0, energy=1.0),
            record("a", "y", 7.5, proven_bound=7.5),
            record("b", "y", 4.0, proven_bound=5.0),
        ]
        x, y = score(records)
        assert (x.solver, x.instances, x.optimal) == ("x", 2, 0)
        assert x.mean_accuracy == pytest.approx(0.5)
        # Instance a is proven to reach 7.5 at most, b 5, whoever proved it.
        assert x.gap == pytest.approx((1.5 / 7.5 + 1.0 / 5.0) / 2)
        assert x.energy_share == pytest.approx((0.75 + 0.25) / 2)
        assert x.seconds == 2.0
        assert (y.solver, y.optimal) == ("y", 1)
        assert y.gap == pytest.approx(0.1)

    def test_best_bounds(self):
        records = [record("a", "x", 6.0), record("a", "y", 6.0, proven_bound=7.0)]
        assert best_bounds(records) == {"a": 7.0}

    def test_nothing_gives_nothing(self):
        assert score([]) == []
