"""Processes of arrivals have the means and bursts that they say; traces are read strictly."""

import gzip
import json

import numpy as np
import pytest

from dsct_gym.errors import InputError
from dsct_gym.online.arrivals import (
    PROCESSES,
    Diurnal,
    MarkovModulated,
    Poisson,
    Replay,
    Windows,
    bursty,
    make_arrivals,
    read_trace,
    shipped_trace,
)
from dsct_gym.online.arrivals.shipped import TRACES


def drawn(process, expected, times, seed=0):
    rng = np.random.default_rng(seed)
    return [process.draw(expected, rng) for _ in range(times)]


def counts(moments, bins):
    """Arrivals in each of equal parts of the horizon (draws, bins)."""
    return np.array([np.histogram(each, bins, (0.0, 1.0))[0] for each in moments])


def dispersion(moments, bins):
    """Variance of counts over their mean: 1 for a Poisson process."""
    found = counts(moments, bins)
    return found.var() / found.mean()


@pytest.mark.parametrize("name", sorted(PROCESSES))
def test_moments_ascend_within_the_horizon_and_follow_the_seed(name):
    process = make_arrivals(name)
    first, again, other = (drawn(process, 80.0, 20, seed) for seed in (1, 1, 2))
    for moments in first:
        assert ((moments >= 0.0) & (moments <= 1.0)).all()
        assert (np.diff(moments) >= 0.0).all()
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))
    assert len({moments.size for moments in first}) > 5


class TestMeans:
    @pytest.mark.parametrize(
        "process",
        [
            Poisson(),
            bursty(),
            bursty(factor=20.0, share=0.1, length=0.3),
            MarkovModulated(rates=(0.0, 1.0, 6.0), stays=(0.1, 0.2, 0.05)),
            Diurnal(),
            Diurnal(amplitude=1.0, periods=2.0, phase=0.3),
        ],
    )
    def test_as_many_come_as_are_expected(self, process):
        sizes = np.array([moments.size for moments in drawn(process, 50.0, 4_000)])
        assert abs(sizes.mean() - 50.0) <= 4.0 * sizes.std() / np.sqrt(sizes.size)

    def test_of_a_steady_trace_too(self):
        steady = Replay(np.arange(1_000.0), keep=0.5)
        sizes = np.array([moments.size for moments in drawn(steady, 50.0, 2_000)])
        assert sizes.mean() == pytest.approx(50.0, abs=0.7)
        assert sizes.var() == pytest.approx(25.0, rel=0.15)  # binomial: 100 kept half of the time

    def test_of_windows_alike(self):
        for variation in (0.0, 0.5, 1.0, 3.0):
            alike = Windows(np.full(50, 7.0), np.full(50, variation), length=10)
            sizes = np.array([moments.size for moments in drawn(alike, 50.0, 1_000)])
            assert abs(sizes.mean() - 50.0) <= 4.0 * sizes.std() / np.sqrt(sizes.size) + 1e-9


class TestShapes:
    def test_poisson_counts_are_as_spread_as_their_mean(self):
        assert dispersion(drawn(Poisson(), 100.0, 2_000), 10) == pytest.approx(1.0, abs=0.05)

    def test_gaps_of_windows_vary_as_told(self):
        for variation in (0.5, 1.0, 2.0):
            alike = Windows(np.full(10, 1.0), np.full(10, variation), length=10)
            gaps = np.concatenate([np.diff(m) for m in drawn(alike, 2_000.0, 20)])
            assert gaps.std() / gaps.mean() == pytest.approx(variation, rel=0.05)

    def test_two_states_by_the_formula(self):
        # Counts in a part of length t: 1 + mean · var(rate)/mean(rate)² · a factor below 1 that
        # tells how far the rate persists; for parts much shorter than stays it is 1.
        process = bursty(factor=9.0, share=0.25, length=0.2)
        relative = 0.25 * 0.75 * 8.0**2 / (0.75 + 0.25 * 9.0) ** 2
        rate = 1.0 / 0.2 + 1.0 / 0.6
        persists = 2.0 * (rate * 0.02 - 1.0 + np.exp(-rate * 0.02)) / (rate * 0.02) ** 2
        expected = 1.0 + 200.0 * 0.02 * relative * persists
        assert dispersion(drawn(process, 200.0, 3_000), 50) == pytest.approx(expected, rel=0.05)

    def test_a_day_rises_and_falls(self):
        found = counts(drawn(Diurnal(amplitude=0.8, phase=0.0), 100.0, 2_000), 4).mean(axis=0)
        rise = 0.8 * 2.0 / np.pi  # mean of the sine over the half in which it is positive
        assert found == pytest.approx(
            25.0 * np.array([1 + rise, 1 + rise, 1 - rise, 1 - rise]), 0.03
        )

    def test_a_burst_in_a_trace_is_replayed(self):
        times = np.concatenate([np.arange(100.0), 100.0 + 0.01 * np.arange(100), [200.0]])
        whole = Replay(times).draw(201.0, np.random.default_rng(0))
        assert whole == pytest.approx(times / 200.0)

    def test_training_and_test_parts_do_not_meet(self):
        times = np.arange(1_001.0)
        rng = np.random.default_rng(0)
        for begin, end in ((0.0, 0.5), (0.5, 1.0)):
            part = Replay(times, begin=begin, end=end)
            assert part.draw(500.0, rng).size == pytest.approx(500, abs=1)
            with pytest.raises(InputError, match="trace: 510 arrivals are expected of at most"):
                part.draw(510.0, rng)


class TestFiles:
    def write(self, tmp_path, text, name="trace.csv"):
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return path

    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("5\n6\n8.5\n", "trace.csv"),
            ("seconds\n5\n8.5\n6\n", "trace.csv"),
            ("# from somewhere\nid,t_s,x\n1,5,a\n2,6,b\n3,8.5,c\n", "trace.csv"),
            ("t_ms,input_tokens\n5000,3\n6000,3\n8500,3\n", "trace.csv.gz"),
            (
                "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9000000,1,2\n"
                "2023-11-16 18:17:04.9000000,1,2\n2023-11-16 18:17:07.4000000,1,2\n",
                "trace.csv",
            ),
            (
                "".join(
                    json.dumps({"timestamp": t, "input_length": 3}) + "\n"
                    for t in (5000, 6000, 8500)
                ),
                "trace.jsonl",
            ),
        ],
    )
    def test_formats(self, tmp_path, text, name):
        trace = read_trace(self.write(tmp_path, text, name))
        assert trace.times == pytest.approx([0.0, 1.0, 3.5])
        assert isinstance(make_arrivals(str(tmp_path / name)), Replay)

    def test_a_named_column(self, tmp_path):
        path = self.write(tmp_path, "t_s,sent_ms\n1,2000\n2,2500\n")
        assert read_trace(path, column="Sent_ms").times == pytest.approx([0.0, 0.5])
        assert make_arrivals(str(path), column="t_s", keep=0.5).times.tolist() == [0.0, 1.0]

    def test_windows_of_clients_add_up(self, tmp_path):
        text = "client,t_s,rate_per_s,cv\n1,0,3,1\n2,0,1,3\n1,600,2,0\n2,600,0,5\n"
        found = read_trace(self.write(tmp_path, text))
        assert isinstance(found, Windows)
        assert found.rates.tolist() == [4.0, 2.0]
        assert found.variations == pytest.approx([np.sqrt(12.0 / 4.0), 0.0])

    @pytest.mark.parametrize(
        ("text", "fault"),
        [
            ("", "trace.csv: holds no times"),
            ("# only this\n", "trace.csv: holds no times"),
            ("5\n", "trace.csv: needs two different times or more"),
            ("5\n5\n", "trace.csv: needs two different times or more"),
            ("t_s\n1\nsoon\n", "trace.csv line 3: 'soon' is no time"),
            ("t_s\n1\nnan\n", "trace.csv line 3: 'nan' is no time"),
            ("t_s\n1\n1e300\n", "trace.csv line 3: '1e300' is no time"),
            ("t_s\n1\n\x1b[31m\n", r"trace.csv line 3: "),
            ("a,t_s\n1,2\n3\n", "trace.csv line 3: '' is no time"),
            ("a,b\n1,2\n", "trace.csv: which column holds the times?"),
            ('t_s\n"1\n2\n', "trace.csv: not CSV with one row a line"),
            ('{"timestamp": 1}\n{"timestamp": "x"}\n', "trace.csv line 2: timestamp: must be"),
            ('{"timestamp": 1}\n{"timestamp"\n', "trace.csv line 2: not JSON"),
            ('{"timestamp": 1}\n[]\n', "trace.csv line 2: timestamp: must be"),
            ("t_s,rate,cv\n0,1,1\n600,-1,1\n", "trace.csv line 3: '-1' is no number of at least 0"),
            ("t_s,rate,cv\n", "trace.csv: holds no windows"),
            ("x,rate,cv\n0,1,1\n", "trace.csv: no column t_s or start"),
            ("t_s,rate,cv\n0,0,1\n", "rates: nothing ever arrives"),
        ],
    )
    def test_refusals_take_one_line(self, tmp_path, text, fault):
        with pytest.raises(InputError) as error:
            read_trace(self.write(tmp_path, text))
        assert str(error.value).startswith(fault)
        assert "\n" not in str(error.value)
        assert "\x1b" not in str(error.value)

    def test_what_there_is_not(self, tmp_path):
        with pytest.raises(InputError, match="no column 'nowhere'"):
            read_trace(self.write(tmp_path, "t_s\n1\n2\n"), column="nowhere")
        with pytest.raises(InputError, match=r"nothing\.csv: No such file"):
            make_arrivals("nothing.csv")
        (tmp_path / "latin.csv").write_bytes(b"t_s\n\xff\n")
        with pytest.raises(InputError, match="not UTF-8"):
            read_trace(tmp_path / "latin.csv")


class TestArguments:
    @pytest.mark.parametrize(
        ("name", "options", "fault"),
        [
            ("bursti", {}, "arrivals: no process 'bursti', .*; did you mean bursty"),
            ("bursty", {"factr": 2}, "factr: arrivals 'bursty' has no such option; did you mean"),
            ("bursty", {"factor": 0.5}, "factor: must be in 1"),
            ("bursty", {"share": 1.0}, "share: must be in"),
            ("diurnal", {"amplitude": "high"}, "amplitude: must be a number"),
            ("azure-code", {"keep": 0.0}, "keep: must be in"),
            ("mooncake", {"begin": 0.6, "end": 0.5}, "end: 0.5 is not after begin 0.6"),
        ],
    )
    def test_faults_are_named(self, name, options, fault):
        with pytest.raises(InputError, match=fault):
            make_arrivals(name, **options)

    def test_states(self):
        with pytest.raises(InputError, match="needs two states or more"):
            MarkovModulated(rates=(1.0,), stays=(1.0,))
        with pytest.raises(InputError, match="nothing ever arrives"):
            MarkovModulated(rates=(0.0, 0.0), stays=(1.0, 1.0))


class TestShipped:
    def test_numbers_published_of_the_traces(self):
        # The first code trace has 8,819 requests in about an hour; Mooncake's 12,031.
        code, mooncake = shipped_trace("azure-code"), shipped_trace("mooncake")
        assert code.times.size == 8_819
        assert code.times.size / code.times[-1] == pytest.approx(2.57, abs=0.01)
        assert mooncake.times.size == 12_031
        assert mooncake.times.size / mooncake.times[-1] == pytest.approx(3.40, abs=0.01)

    @pytest.mark.parametrize("name", TRACES)
    def test_source_and_licence_come_first_and_files_are_small(self, name):
        from importlib.resources import files

        content = files("dsct_gym.online").joinpath("data").joinpath(f"{name}.csv").read_bytes()
        first = content.split(b"\n", 1)[0].decode()
        assert first.startswith("# source: github.com/")
        assert "CC-BY 4.0" in first or "Apache-2.0" in first
        assert len(content) < 100_000

    def test_there_is_no_other(self):
        with pytest.raises(InputError, match="no trace 'twitter' ships"):
            shipped_trace("twitter")
