"""Drawn and measured operating points, and the commands on their files."""

import json

import numpy as np
import pytest

import dsct_gym
from dsct_gym import generate
from dsct_gym.catalog import device
from dsct_gym.catalog.clocks import clocks, measured
from dsct_gym.cli import run as command
from dsct_gym.errors import InputError
from dsct_gym.points.generator import draw_points, measured_points


class TestClocks:
    def test_what_was_measured(self):
        assert measured() == ["V100", "M40", "TITAN-V", "A40", "P100", "Quadro-RTX-6000"]
        # From the source: dgemm runs 5.303 s at 907 MHz and 3.7906 s at the top, at 157.3 W.
        (v100,) = (clock for clock in clocks("v100") if clock.clock_mhz == 907)
        assert v100.share == pytest.approx(3.7906 / 5.303, abs=5e-5)
        assert v100.power_watts == 157.3
        assert v100.source.licence.startswith("BSD-3-Clause")

    @pytest.mark.parametrize("name", ["V100", "M40", "TITAN-V", "A40", "P100", "Quadro-RTX-6000"])
    def test_they_are_sound(self, name):
        found = clocks(name)
        share = [clock.share for clock in found]
        assert (np.diff(share) > 0).all()
        assert 0.3 < share[0] < share[-1] <= 1.0
        for clock in found:
            assert (clock.clock_mhz is None) != (clock.limit_watts is None)
            assert 30.0 < clock.power_watts <= device(name).tdp_watts

    def test_devices_that_were_not(self):
        with pytest.raises(InputError, match=r"no device with measured clocks 'T4'; .* V100"):
            clocks("T4")


class TestDrawn:
    @pytest.mark.parametrize("count", [1, 2, 7])
    def test_the_fastest_is_the_machine_as_it_is(self, count):
        instance = generate(10, 4, seed=3)
        problem = draw_points(instance, count, seed=3)
        assert problem.core.speeds == pytest.approx(instance.speeds, rel=1e-11)
        assert problem.core.powers == pytest.approx(instance.powers, rel=1e-11)
        assert problem.core.energy_budget == instance.energy_budget
        for points in problem.points:
            assert points.size == count
            assert (np.diff(points.powers) > 0).all()

    def test_a_seed_gives_the_same_points(self):
        instance = generate(3, 2, seed=1)
        assert draw_points(instance, 4, seed=5) == draw_points(instance, 4, seed=5)
        assert draw_points(instance, 4, seed=5) != draw_points(instance, 4, seed=6)

    def test_counts_out_of_range(self):
        with pytest.raises(InputError, match="points"):
            draw_points(generate(3, 2), 0)


class TestMeasured:
    def test_tolerance_and_budget_ratio_stay(self):
        instance = generate(30, devices="V100,M40,V100", rho=0.3, beta=0.4, seed=2)
        problem = measured_points(instance, 6)
        core = problem.core
        rho = core.horizon * core.speeds.sum() / core.max_work.sum()
        beta = core.energy_budget / (core.horizon * core.powers.sum())
        assert (rho, beta) == (pytest.approx(0.3, rel=1e-9), pytest.approx(0.4, rel=1e-9))
        assert [points.size for points in problem.points] == [6, 6, 6]
        assert problem.points[0] == problem.points[2]
        assert core.speeds[0] == pytest.approx(device("V100").speed, rel=1e-11)
        assert measured_points(instance, 900).points[0].size == len(clocks("V100"))

    def test_machines_that_are_no_devices(self):
        with pytest.raises(InputError, match="no device with measured clocks 'T4'"):
            measured_points(generate(3, devices="T4"), 2)
        with pytest.raises(InputError, match="have no names"):
            measured_points(generate(3, 2), 2)


class TestCommands:
    def test_generate_solve_verify_and_bound(self, tmp_path, capsys):
        path, answer = tmp_path / "clocks.json", tmp_path / "answer.json"
        made = ["generate", "-n", "12", "--devices", "V100,P100", "--points", "4", "-o", str(path)]
        assert command(made) == 0
        problem = dsct_gym.load(path)
        assert [points.size for points in problem.points] == [4, 4]
        assert command(["solve", str(path), "--solver", "approx-refined", "-o", str(answer)]) == 0
        assert command(["verify", str(path), str(answer)]) == 0
        assert command(["bound", str(path)]) == 0
        capsys.readouterr()
        document = json.loads(answer.read_text(encoding="utf-8"))
        assert all(row["pieces"] for row in document["assignments"])
        assert command(["solve", str(path), "--solver", "rl-greedy", "-o", str(answer)]) == 2
        assert "has points, which 'rl-greedy' does not know" in capsys.readouterr().err

    def test_bench_scores_them(self, tmp_path, capsys):
        path = tmp_path / "clocks.json"
        command(["generate", "-n", "8", "-m", "2", "--points", "3", "-o", str(path)])
        capsys.readouterr()
        bench = ["bench", str(path), "--solvers", "approx,edf-3-levels", "--json"]
        assert command([*bench, "-o", str(tmp_path / "out")]) == 0
        told = json.loads(capsys.readouterr().out)
        assert [record["needs"] for record in told["records"]] == [["points"], ["points"]]
        assert all(record["status"] == "ok" for record in told["records"])

    def test_devices_without_measured_clocks(self, capsys):
        assert command(["generate", "--devices", "T4", "--points", "3"]) == 2
        assert capsys.readouterr().err.startswith("Error: no device with measured clocks 'T4'")
