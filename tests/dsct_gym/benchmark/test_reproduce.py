import csv
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dsct_gym import generate
from dsct_gym.baselines.approx import Approx
from dsct_gym.baselines.mip import Mip
from dsct_gym.benchmark.reproduce import EXPERIMENTS
from dsct_gym.benchmark.reproduce.energy import SHARES, energy_saved
from dsct_gym.benchmark.reproduce.experiment import solve
from dsct_gym.benchmark.reproduce.gap import guarantee
from dsct_gym.cli import run


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as table:
        return list(csv.DictReader(table))


@pytest.mark.parametrize(
    ("figure", "solver"),
    [("runtime", Mip), ("gap-by-mu", Approx), ("accuracy-by-rho", Approx), ("runtime", Approx)],
)
def test_a_run_that_was_cut_short_is_not_drawn(figure, solver, tmp_path, capsys, monkeypatch):
    whole = solver.solve

    def cut_short(self, *arguments, **options):
        return replace(whole(self, *arguments, **options), interrupted=True)

    monkeypatch.setattr(solver, "solve", cut_short)
    assert run(["reproduce", figure, "--quick", "-o", str(tmp_path)]) == 130
    assert list(tmp_path.iterdir()) == []
    assert "Interrupted." in capsys.readouterr().err


@pytest.mark.parametrize("figure", EXPERIMENTS)
def test_each_figure_quickly(figure, tmp_path, capsys):
    assert run(["reproduce", figure, "--quick", "-o", str(tmp_path), "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert told["figure"] == figure
    assert all(claim["paper"] and claim["measured"] for claim in told["claims"])
    assert rows(tmp_path / f"{figure}.claims.csv") == told["claims"]
    assert (tmp_path / f"{figure}.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / f"{figure}.svg").read_bytes().startswith(b"<?xml")
    CHECKS[figure](rows(tmp_path / f"{figure}.csv"))


def check_gap(table: list[dict[str, str]]) -> None:
    assert [int(row["mu"]) for row in table] == list(range(1, 21))
    for row in table:
        # The guarantee holds without an energy limit, and exact works are never worse.
        assert 0.0 <= float(row["approx mean gap"]) <= float(row["G"])
        assert float(row["approx largest gap / G"]) <= 1.0
        assert float(row["approx-refined mean gap"]) <= float(row["approx mean gap"]) + 1e-9
        assert float(row["approx gap / G"]) == pytest.approx(
            float(row["approx mean gap"]) / float(row["G"])
        )


def check_runtime(table: list[dict[str, str]]) -> None:
    assert {row["solver"] for row in table} == {"approx", "approx-refined", "mip"}
    mip = {(r["n"], r["m"], r["seed"]): r for r in table if r["solver"] == "mip"}
    for row in table:
        exact = mip[row["n"], row["m"], row["seed"]]
        assert float(row["mean_accuracy"]) <= float(exact["mean_accuracy"]) + 1e-6


def check_rho(table: list[dict[str, str]]) -> None:
    for row in table:
        best, approx = float(row["upper bound"]), float(row["approx"])
        assert best + 1e-9 >= approx >= float(row["edf-no-compression"]) - 0.01
    accuracy = [float(row["upper bound"]) for row in table]
    assert accuracy == sorted(accuracy)


def check_energy(table: list[dict[str, str]]) -> None:
    assert {row["instances of"] for row in table} == {"synthetic", "catalogue"}
    for row in table:
        assert float(row["approx"]) <= float(row["approx-refined"]) + 1e-9
        assert float(row["approx-refined"]) <= float(row["upper bound"]) + 1e-9


def check_serving(table: list[dict[str, str]]) -> None:
    assert {row["gpu"] for row in table} == {"V100", "M40"}
    for row in table:
        assert 0.0 < float(row["busy_energy_per_request"]) <= float(row["energy_per_request"])
    compared = [row for row in table if row["variant"] == ""]
    for gpu in ("V100", "M40"):
        energy = {
            row["agent"]: float(row["energy_per_request"])
            for row in compared
            if row["gpu"] == gpu and float(row["violations"]) <= 0.01
        }
        assert energy["eali"] <= energy["fmax-greedy"]


def check_timeliness(table: list[dict[str, str]]) -> None:
    assert {row["penalty"] for row in table} == {"step", "linear", "exponential"}
    for row in table:
        # Nobody is above a proven optimum.
        assert float(row["missed of the optimum"]) >= -1e-9
        if row["solver"] == "exact":
            assert float(row["missed at most"]) <= 1e-6


CHECKS = {
    "gap-by-mu": check_gap,
    "runtime": check_runtime,
    "accuracy-by-rho": check_rho,
    "accuracy-by-energy": check_energy,
    "serving": check_serving,
    "timeliness": check_timeliness,
}


def test_guarantee_by_hand():
    assert guarantee(5, 1.0, 0.8) == pytest.approx(4.0)
    assert guarantee(2, math.e, 1.0) == pytest.approx(2.0 * (1.0 + 1.0 / math.e))


def test_energy_saved_by_hand():
    plain = np.array([0.5, 0.7])
    target = 0.98 * 0.6
    reached = np.full((len(SHARES), 2), target)
    assert energy_saved(plain, reached) == pytest.approx(1.0 - SHARES[0])
    reached[:3] = 0.0
    assert energy_saved(plain, reached) == pytest.approx(1.0 - SHARES[3])
    reached[3:] = target - 0.01
    assert energy_saved(plain, reached) == 0.0


def test_no_energy_limit_is_none():
    """With beta = 1 every machine may run until the last deadline."""
    instance = generate(20, 3, beta=1.0, seed=1)
    spent = (instance.powers * instance.horizon).sum()
    assert instance.energy_budget == pytest.approx(spent)
    assert solve("approx", instance).energy <= instance.energy_budget


def test_refuses_other_figures(capsys):
    assert run(["reproduce", "figure-9"]) == 2
    assert "gap-by-mu" in capsys.readouterr().err
