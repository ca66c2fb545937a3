"""Instances from one's own machines and requests, against ones written out by hand."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from dsct_gym import Instance, load
from dsct_gym.catalog import device, family, measured_speed
from dsct_gym.cli import run
from dsct_gym.errors import InputError
from dsct_gym.online import OnlineInstance
from dsct_gym.operator.build import build
from dsct_gym.operator.columns import as_columns, read_csv

REQUESTS = {
    "name": ["a", "b"],
    "deadline": [0.1, "250ms"],
    "work": [[0, 10, 30], "0 4; 8"],
    "accuracy": [[0, 0.5, 0.75], "0 50% 70%"],
}
BOX = "box:2:speed=5000:watt=100"
BY_HAND = Instance(
    speeds=[5000.0, 5000.0],
    efficiencies=[50.0, 50.0],
    deadlines=[0.1, 0.25],
    work=[[0, 10, 30], [0, 4, 8]],
    accuracy=[[0, 0.5, 0.75], [0, 0.5, 0.7]],
    energy_budget=7200.0,
    machine_names=("box-1", "box-2"),
    task_names=("a", "b"),
)


class Frame:
    """What data frames of all libraries look like."""

    def __init__(self, columns: dict) -> None:
        self._columns = columns
        self.columns = list(columns)

    def __getitem__(self, name: str) -> SimpleNamespace:
        return np.array(self._columns[name], dtype=object)


def rows_of(columns: dict) -> list[dict]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


@pytest.mark.parametrize("form", [dict, Frame, rows_of])
def test_frames_mappings_and_rows_are_the_same(form):
    assert Instance.from_frames(BOX, form(REQUESTS), budget="2 Wh") == BY_HAND
    machines = {"name": ["box"], "speed": ["5 TFLOP/s"], "efficiency": [50], "count": [2]}
    assert Instance.from_frames(form(machines), form(REQUESTS), budget=7200) == BY_HAND


def test_budgets():
    share = Instance.from_frames(BOX, REQUESTS, budget="50%")
    assert share.energy_budget == pytest.approx(0.5 * 200 * 0.25)
    none = Instance.from_frames(BOX, REQUESTS)
    assert none.energy_budget >= 38 / 50


def test_counts_images_weights_and_families():
    table = {
        "deadline_ms": [100, 200.0],
        "model": ["resnet", "VIT"],
        "images": ["3", None],
        "weight": [1, 4],
        "count": [2, float("nan")],
        "name": ["x", ""],
    }
    made = Instance.from_frames("T4,RTX-4090", table, budget="none")
    work, accuracy = family("resnet").curve
    assert made.task_names == ("x-1", "x-2", None)
    assert made.deadlines.tolist() == pytest.approx([0.1, 0.1, 0.2])
    assert made.work[0, : work.size].tolist() == (3 * work).tolist()
    assert made.accuracy[1, : work.size].tolist() == (accuracy * 0.25).tolist()
    assert made.accuracy[2].max() == family("vit").curve[1][-1]
    # Both families were measured on the one device, neither on the other.
    measured = measured_speed("RTX-4090", ["resnet", "vit"])
    assert made.speeds.tolist() == [device("T4").speed, measured]
    assert made.powers.tolist() == pytest.approx([70.0, 450.0])


def test_own_curves_and_measured_rates():
    curves = {
        "model": ["det", "det", "det", "det"],
        "network": ["s", "m", "l", "odd"],
        "work": ["1 GMAC", 6, 20.0, 10],
        "accuracy": [0.4, 0.6, "75%", 0.5],
    }
    rates = {
        "machine": ["box", "box", "Box", "T4"],
        "network": ["s", "m", "l", "l"],
        "images_per_second": [500, 200, 80, 50],
        "watt": [80, "0.1kW", 90, None],
    }
    requests = {"latency": [1.0], "model": ["det"]}
    made = Instance.from_frames("box,T4", requests, curves=curves, rates=rates)
    assert made.work.tolist() == [[0, 2, 6, 20]]
    assert made.accuracy.tolist() == [[0, 0.4, 0.6, 0.75]]
    # Medians: of 2·500, 6·200, 20·80; of 80, 100, 90. The T4 has its limit as power.
    assert made.speeds.tolist() == [1200.0, 1000.0]
    assert made.powers.tolist() == pytest.approx([90.0, 70.0])
    given = Instance.from_frames("box:watt=50", requests, curves=curves, rates=rates)
    assert (given.speeds[0], given.powers[0]) == (1200.0, pytest.approx(50.0))


def test_arrivals_make_an_online_instance():
    table = {"arrival": [0.0, 2.0], "latency_ms": [100, 200], "model": ["vit", "vit"]}
    made = build("T4", table, budget=5.0)
    assert isinstance(made, OnlineInstance)
    assert made.arrivals.tolist() == [0.0, 2.0]
    assert made.core.deadlines.tolist() == pytest.approx([0.1, 2.2])
    assert made.horizon == pytest.approx(2.2)
    assert build("T4", table, horizon=5.0).horizon == 5.0
    with pytest.raises(InputError, match="requests: have arrivals, so make no Instance"):
        Instance.from_frames("T4", table)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"deadline": [0.1, "soon"]}, "requests[1].deadline: must be a number with a unit"),
        ({"deadline": [0.1, None]}, "requests[1].deadline: missing"),
        ({"deadline": [0.1, "0,5 s"]}, "requests[1].deadline: needs a decimal point, not a comma"),
        ({"deadline": [0.1, -1]}, "requests[1].deadline: due at -1 s, which is not after"),
        ({"deadline": [0.1, True]}, "requests[1].deadline: must be a number, got 'True'"),
        ({"deadline": [0.1]}, "requests: columns of 1, 2 rows"),
        ({"dead line": [1, 2]}, "requests: unknown column dead line; did you mean deadline"),
        ({"latency": [1, 2]}, "requests: has columns deadline and latency, of which one must go"),
        ({"deadline_ms": [1, 2]}, "requests: columns deadline and deadline_ms say the same"),
        ({"Weights": [1, 2]}, "requests: unknown column Weights; did you mean weight"),
        ({"model": ["vti", None]}, "requests[0].model: no model 'vti'; did you mean vit"),
        ({"accuracy": [[0, 0.5], "0 1 1"]}, "requests[0].accuracy: 2 values for 3 breakpoints"),
        ({"work": [None, "0 1"]}, "requests[0].work: missing, and there is no model either"),
        ({"work": [[0, 10, 10], "0 4 8"]}, "requests[0].work: must be two breakpoints or more"),
        ({"weight": [1, 0]}, "requests[1].weight: must be positive, got 0"),
        ({"count": [1, 1.5]}, "requests[1].count: must be a whole number from 1 to 5000000"),
        ({"count": [5_000_000, 1]}, "requests: 5000001 requests, of which at most 5000000"),
        (
            {
                "work": [[*range(3000)], "0 1"],
                "accuracy": [[0.5] * 3000, "0 1"],
                "count": [20_000] * 2,
            },
            "requests: 40000 requests of up to 3000 breakpoints, of which at most 50000000",
        ),
        ({"images": [0, 1]}, "requests[0].images: must be a whole number from 1 to"),
        ({"accuracy": ["0 1 1", "0 1"], "work": ["0 1 2", "0 1 2"]}, "requests[1].accuracy: 2 va"),
        ({"accuracy": [[0, 0.5, 0.4], "0 1 1"]}, "requests[0].accuracy: decreasing at breakpoint"),
        ({"accuracy": ["0 1 1", "0 .1 .9"], "count": [7, 1]}, "requests[1].accuracy: not concave"),
        ({"work": ["0 1 2", "1 2 3"]}, "requests[1].work: must start at 0"),
        ({"work": ["0 1 2", "0 2 1"]}, "requests[1].work: not strictly increasing at breakpoint 2"),
        ({"work": ["0 1 2", "0 2 2"]}, "requests[1].work: must be two breakpoints or more"),
        ({"model": [None, "vit"]}, "requests[1].work: given beside a model"),
        ({"deadline": ["1,5", 1]}, "requests[0].deadline: needs a decimal point, not a comma"),
    ],
)
def test_requests_are_refused_in_one_line(changes, message):
    with pytest.raises(InputError) as refusal:
        Instance.from_frames(BOX, {**REQUESTS, **changes})
    assert str(refusal.value).startswith(message)
    assert len(refusal.value.lines) == 1


@pytest.mark.parametrize(
    ("machines", "message"),
    [
        ({"name": ["T44"]}, "machines[0].name: no device 'T44'; did you mean T4; or give its"),
        ({"name": ["T4"], "speed": [-1]}, "machines[0].speed: must be positive, got -1"),
        ({"name": [None]}, "machines[0].name: missing"),
        ({"speed": [1]}, "machines: column name is missing"),
        ({"name": []}, "machines: has no rows"),
        (7, "machines: must be a data frame, columns by name, or rows as mappings"),
        ({"name": 7}, "machines: must be a list, got int"),
        ({"name": ["T4"], "speed": [0]}, "machines[0].speed: must be positive, got 0"),
        ({"name": ["T4"], "watt": [9], "power": [8]}, "machines: columns watt and power say the"),
        ({"name": ["T4"] * 11, "count": [10_000] * 11}, "machines: 110000 machines, of which at"),
    ],
)
def test_machines_are_refused_in_one_line(machines, message):
    with pytest.raises(InputError) as refusal:
        Instance.from_frames(machines, REQUESTS)
    assert str(refusal.value).startswith(message)


@pytest.mark.parametrize(
    ("rates", "message"),
    [
        ({"network": ["resnet50"]}, "rates[0].network: no network 'resnet50'; did you mean "),
        ({"images_per_second": [0]}, "rates[0].images_per_second: must be positive"),
        ({"machine": [""]}, "rates[0].machine: missing"),
        ({"network": [None]}, "rates[0].network: missing"),
        ({"watt": [0]}, "rates[0].watt: must be positive, got 0"),
        ({"watt": [70], "power": [60]}, "rates: columns watt and power say the same"),
        ({"power_mw": [7]}, "rates: unknown column power_mw; did you mean power"),
    ],
)
def test_rates_are_refused_in_one_line(rates, message):
    sound = {
        "machine": ["T4"],
        "network": ["tf_efficientnet_b0.aa_in1k"],
        "images_per_second": [5],
    }
    with pytest.raises(InputError) as refusal:
        Instance.from_frames("T4", REQUESTS, rates={**sound, **rates})
    assert str(refusal.value).startswith(message)


class TestCsv:
    @pytest.fixture(autouse=True)
    def in_a_folder(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)

    def test_lines_are_told_as_they_stand(self):
        Path("t.csv").write_text('# a comment\n\na, b\n1,"x\ny"\n# another\n2,z\n')
        table = read_csv("t.csv")
        assert table.cells == {"a": ["1", "2"], "b": ["x\ny", "z"]}
        assert table.place(1, "a") == "t.csv: line 7: a"

    def test_within_a_cell_there_are_no_comments(self):
        Path("t.csv").write_text('"a\n# b",c\n# a "comment"\n"x\n\n#y",1\n\n#\nz,2\n')
        table = read_csv("t.csv")
        assert table.cells == {"a\n# b": ["x\n\n#y", "z"], "c": ["1", "2"]}
        assert table.place(1, "c") == "t.csv: line 9: c"

    def test_empty_rows_of_spreadsheets_are_left_out(self):
        Path("t.csv").write_text("a,b\n1,2\n , \n,\n3,4\n")
        table = read_csv("t.csv")
        assert table.cells == {"a": ["1", "3"], "b": ["2", "4"]}
        assert table.place(1, "b") == "t.csv: line 5: b"

    def test_thousands_of_machines_are_not_listed(self, capsys):
        Path("r.csv").write_text("deadline,model\n0.1,vit\n")
        arguments = ["build", "--machines", "T4:2000", "--requests", "r.csv", "-o", "m.json"]
        assert run(arguments) == 0
        told = capsys.readouterr().out
        assert told.count("T4-") == 20
        assert "and 1980 more machines (--json has all)" in told

    def test_a_name_without_rates_is_told(self, capsys):
        Path("r.csv").write_text("deadline,model\n0.1,vit\n")
        rates = "machine,network,images_per_second\n{},tf_efficientnet_b0.aa_in1k,900\n"
        arguments = ["build", "--machines", "T4:2", "--requests", "r.csv", "--rates", "t.csv"]
        for name, told in (("t4", ""), ("T-4", "Warning: --rates: no machine is called T-4\n")):
            Path("t.csv").write_text(rates.format(name))
            assert run([*arguments, "-o", "m.json"]) == 0
            warned = capsys.readouterr().err
            assert warned.endswith(told)
            assert ("--rates" in warned) is bool(told)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "t.csv: no heading"),
            ("# nothing\n", "t.csv: no heading"),
            ("a,b\n", "t.csv: no rows below the heading"),
            ("a,b\n1\n", "t.csv: line 2: 1 cells for 2 columns"),
            ("a,a\n1,2\n", "t.csv: two columns are called 'a'"),
            ('a\n"open\n', "t.csv: line 2: not CSV"),
            (b"a\n\xff\n", "t.csv: not UTF-8 at byte 2"),
            (",".join(f"c{i}" for i in range(2000)) + "\n1\n", "t.csv: more than 1000 columns"),
        ],
    )
    def test_what_is_no_table_is_refused(self, text, message):
        Path("t.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(InputError) as refusal:
            read_csv("t.csv")
        assert str(refusal.value).startswith(message)
        assert len(refusal.value.lines) == 1

    @pytest.mark.parametrize("between", [",", ";", "\t"])
    def test_headings_are_taken_as_they_are_written(self, between, capsys):
        """Case, brackets, blanks and what stands between cells do not matter; a unit's case does
        where it is told by it."""
        rows = (["ID", "Deadline (min)", " Model ", "region"], ["a", "2", "vit", "eu"])
        Path("r.csv").write_text("".join(between.join(row) + "\n" for row in rows))
        arguments = ["build", "--machines", "T4", "--requests", "r.csv", "-o", "m.json"]
        assert run(arguments) == 0
        assert capsys.readouterr().err == "Warning: r.csv: not read: region\n"
        made = Instance.load("m.json")
        assert made.deadlines.tolist() == [120.0]
        assert made.task_names == ("a",)

    def test_command_builds_what_the_function_does(self, capsys):
        Path("r.csv").write_text("latency_ms,model,count\n80,efficientnet,3\n0.2 s,vit,\n")
        arguments = ["build", "--machines", "T4:2,A100", "--requests", "r.csv", "--budget", "5Wh"]
        assert run([*arguments, "--name", "mine", "-o", "m.json"]) == 0
        out = capsys.readouterr().out
        assert "predicted speeds: 0.16 to 4.63 of what was measured elsewhere" in out
        table = {"latency": [0.08, 0.2], "model": ["efficientnet", "vit"], "count": [3, 1]}
        expected = Instance.from_frames("T4:2,A100", table, budget=18_000.0, name="mine")
        assert Instance.load("m.json") == expected
        assert run([*arguments, "--name", "mine"]) == 0
        assert capsys.readouterr().out == Path("m.json").read_text()
        assert run([*arguments, "-o", "m.json", "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert [machine["speed_from"] for machine in told["machines"]] == ["predicted"] * 3
        assert told["accuracy_scaled_by"] == 1.0

    def test_arrivals_reach_the_file(self, capsys):
        Path("r.csv").write_text("arrival,latency_ms,model\n0,80,vit\n60,80,vit\n")
        Path("box.csv").write_text("name,speed,watt,count\nbox,5 TFLOP/s,90,2\n")
        arguments = ["build", "--machines", "box.csv", "--requests", "r.csv", "-o", "m.json"]
        assert run([*arguments, "--horizon", "1h"]) == 0
        made = load("m.json")
        assert isinstance(made, OnlineInstance)
        assert made.horizon == 3600.0
        assert made.core.machine_names == ("box-1", "box-2")

    def test_a_slip_of_the_unit_is_told(self, capsys):
        Path("r.csv").write_text("deadline,model\n80,vit\n")
        arguments = ["build", "--machines", "T4:speed=8.1:watt=0.07", "--requests", "r.csv"]
        assert run([*arguments, "-o", "m.json"]) == 0
        assert "Warning: machines[0] (T4): draws 70 mW" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--machines", "T44"], "--machines: no device 'T44'; did you mean T4; or give"),
            (["--machines", "T4", "--budget", "5wh"], "budget: 'wh' is no unit of energy"),
            (["--machines", "T4", "--budget", "-5J"], "energy_budget: must be in 0..1e+100"),
            (["--machines", "T4", "--horizon", "1h"], "horizon: only where requests have arrivals"),
            (["--machines", "T4", "--curves", "no.csv"], "no.csv: No such file"),
            (["--machines", "T4", "--json"], "--json: tells of the file that --output names"),
            (["--machines", "r.csv"], "r.csv: unknown column deadline; there are name, speed"),
        ],
    )
    def test_refuses_in_one_line(self, capsys, arguments, message):
        Path("r.csv").write_text("deadline,model\n0.1,vit\n")
        assert run(["build", "--requests", "r.csv", *arguments]) == 2
        captured = capsys.readouterr()
        assert captured.err.startswith(f"Error: {message}")
        assert captured.err.count("\n") == 1
        assert captured.out == ""


@pytest.mark.parametrize("cell", ["80", "80.", "8e1", " 80 ", "+80.0", "0.08 s", "80000 μs", 80])
def test_the_unit_of_a_column_is_that_of_every_bare_number(cell):
    table = {"deadline_ms": [cell], "work": ["0 1"], "accuracy": ["0 1"]}
    assert Instance.from_frames(BOX, table).deadlines == pytest.approx([0.08], rel=1e-15)


def test_missing_values_of_frames_are_empty():
    class NAType:
        pass

    assert (
        as_columns({"name": [NAType(), None, float("nan"), " "]}, "t").texts("name") == [None] * 4
    )
