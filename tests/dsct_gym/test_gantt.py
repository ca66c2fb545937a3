from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from matplotlib import colormaps, rcParams
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font, get_font_names

from dsct_gym import InputError, Instance, Schedule, allocate, generate
from dsct_gym.fonts import cells, cut, drawable, families_for
from dsct_gym.gantt import accuracy_norm, draw_gantt, draw_gantt_axes, machine_labels, save_gantt
from dsct_gym.points import DvfsInstance, OperatingPoints


def spread(instance: Instance) -> Schedule:
    """Tasks on machines in turn, with exact times."""
    return allocate(instance, np.arange(instance.num_tasks) % instance.num_machines)


@pytest.fixture(scope="module")
def schedule() -> Schedule:
    instance = generate(60, 5, seed=3, devices="T4,V100,A100,A40,H100", family="ofa-resnet50")
    return spread(instance)


def artists(figure: Figure, kind: type) -> list:
    return [artist for artist in figure.axes[0].collections if isinstance(artist, kind)]


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.texts]


class TestBars:
    def test_span_start_to_finish_on_the_row_of_their_machine(self, schedule):
        figure = draw_gantt(schedule)
        (bars,) = artists(figure, PolyCollection)
        boxes = [path.get_extents() for path in bars.get_paths()]
        runs = np.flatnonzero(schedule.duration > 0.0)
        milliseconds = 1e3  # the horizon is below a second
        assert len(boxes) == runs.size
        np.testing.assert_allclose([box.x0 for box in boxes], schedule.start[runs] * milliseconds)
        np.testing.assert_allclose([box.x1 for box in boxes], schedule.finish[runs] * milliseconds)
        rows = [(int(box.y0), int(box.y1)) for box in boxes]
        assert rows == [(r, r) for r in schedule.machine[runs].tolist()]

    def test_take_the_colour_of_their_accuracy(self, schedule):
        figure = draw_gantt(schedule)
        (bars,) = artists(figure, PolyCollection)
        runs = schedule.duration > 0.0
        norm = accuracy_norm(schedule.instance)
        expected = colormaps["viridis"](norm(schedule.accuracy[runs]))
        np.testing.assert_allclose(bars.get_facecolor(), expected)

    def test_deadlines_are_ticked_on_the_row(self, schedule):
        (ticks,) = artists(draw_gantt(schedule), LineCollection)
        runs = schedule.duration > 0.0
        ends = np.array(ticks.get_segments())
        np.testing.assert_allclose(ends[:, 0, 0], schedule.instance.deadlines[runs] * 1e3)
        np.testing.assert_allclose(ends[:, 0, 0], ends[:, 1, 0])
        assert np.abs(ends[:, :, 1] - schedule.machine[runs][:, None]).max() < 0.2

    def test_colours_are_linear_on_curves_of_even_accuracy_steps(self):
        norm = accuracy_norm(generate(20, 2, segments=8))
        values = np.linspace(0.001, 0.82, 50)
        np.testing.assert_allclose(norm(values), (values - 0.001) / 0.819, atol=1e-9)

    def test_colours_tell_the_levels_of_a_leaping_curve_apart(self, schedule):
        norm = accuracy_norm(schedule.instance)
        levels = norm(np.unique(schedule.instance.accuracy))
        np.testing.assert_allclose(levels, np.linspace(0.0, 1.0, levels.size), atol=1e-9)


class TestText:
    def test_rows_are_named(self, schedule):
        labels = [label.get_text() for label in draw_gantt(schedule).axes[0].get_yticklabels()]
        assert labels == ["T4", "V100", "A100", "A40", "H100"]
        assert machine_labels(generate(2, 2)) == ["machine 0", "machine 1"]

    def test_title_tells_energy_of_budget_and_accuracy(self, schedule):
        credited = schedule.credited(solver="in-turn", upper_bound=48.0)
        told = " ".join(texts(draw_gantt(credited)))
        budget = schedule.instance.energy_budget
        assert "in-turn" in told
        assert f"mean accuracy {schedule.mean_accuracy:.4f} (at most 0.8000)" in told
        assert f"energy {schedule.energy:.4g} J of {budget:.4g} J" in told
        assert f"({100 * schedule.energy / budget:.0f} %)" in told

    @pytest.mark.parametrize(
        ("n", "m"), [(1, 1), (5, 1), (5, 2), (60, 5), (60, 20), (1000, 3), (1000, 20), (300, 100)]
    )
    def test_never_overlaps(self, n, m):
        figure = draw_gantt(spread(generate(n, m, seed=n)).credited(solver="in-turn"))
        figure.canvas.draw()
        renderer = figure.canvas.get_renderer()
        ax, bar = figure.axes
        shown = [*figure.texts, *ax.texts, ax.xaxis.label, bar.yaxis.label]
        shown += [*ax.get_yticklabels(), *bar.get_yticklabels()]
        low, high = ax.get_xlim()
        shown += [label for label in ax.get_xticklabels() if low <= label.get_position()[0] <= high]
        boxes = [text.get_window_extent(renderer) for text in shown if text.get_text()]
        page = figure.bbox
        assert all(page.x0 <= box.x0 and box.x1 <= page.x1 for box in boxes)
        assert all(page.y0 <= box.y0 and box.y1 <= page.y1 for box in boxes)
        assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))

    @pytest.mark.parametrize("n", [5, 60])
    def test_labels_stay_within_their_bars(self, n):
        schedule = spread(generate(n, 3, seed=n))
        figure = draw_gantt(schedule)
        figure.canvas.draw()
        ax = figure.axes[0]
        assert ax.texts
        for text in ax.texts:
            j = int(text.get_text())
            box = text.get_window_extent().transformed(ax.transData.inverted())
            assert schedule.start[j] * 1e3 <= box.x0
            assert box.x1 <= schedule.finish[j] * 1e3

    def test_long_and_odd_names_do_not_break_it(self):
        instance = generate(6, 2, seed=1, name="$x_" + "long" * 60)
        instance = replace(
            instance,
            machine_names=("$\\frac{$", "GPU " * 30),
            task_names=("$a$", "b" * 99, "$\\alpha", *"def"),
        )
        figure = draw_gantt(spread(instance))
        figure.canvas.draw()
        left = [label.get_window_extent().x0 for label in figure.axes[0].get_yticklabels()]
        assert min(left) >= 0.0
        assert all(text.get_window_extent().x1 <= figure.bbox.x1 for text in figure.texts)
        assert figure.axes[0].get_yticklabels()[0].get_text() == "$\\frac{$"

    @pytest.mark.filterwarnings("error")
    @pytest.mark.parametrize(
        "name",
        [
            "\u4e2d\u6587" * 9,
            "\ud55c\uad6d\uc5b4",
            "\u0928\u092e\u0938\u094d\u0924\u0947",
            "a\nb\tc\x1b[31m",
            "\U000f0000",
            "🚀",
        ],
    )
    def test_names_of_any_script_are_drawn_without_a_warning(self, name, tmp_path):
        instance = generate(4, 2, seed=1, name=name)
        instance = replace(instance, machine_names=(name, "x"), task_names=(name, None, None, None))
        schedule = spread(instance).credited(solver=name)
        for kind in ("png", "svg", "pdf"):
            save_gantt(schedule, tmp_path / f"g.{kind}")
        figure = draw_gantt(schedule)
        figure.canvas.draw()
        shown = [*figure.texts, *figure.axes[0].get_yticklabels()]
        assert all(text.get_window_extent().x0 >= 0.0 for text in shown)
        assert all(text.get_window_extent().x1 <= figure.bbox.x1 for text in shown)


class TestFonts:
    def test_what_a_font_has_is_drawn_with_it(self):
        families = families_for("GPU")
        assert drawable("GPU é λ ≤") == "GPU é λ ≤"
        assert families == families_for("") == list(rcParams["font.family"])

    @pytest.mark.skipif(
        not any("CJK" in name for name in get_font_names()), reason="no font has the characters"
    )
    def test_characters_of_other_scripts_come_from_a_font_that_has_them(self):
        text = "\u4e2d\u6587 GPU"
        assert drawable(text) == text
        *usual, found = families_for(text)
        assert usual == list(rcParams["font.family"])
        font = get_font(findfont(FontProperties(family=[found])))
        assert all(font.get_char_index(ord(character)) for character in "\u4e2d\u6587")

    def test_what_no_font_has_and_no_printer_prints_is_a_box(self):
        assert drawable("a\nb\x1b[1m\U000f0000\u202ec") == "a□b□[1m□□c"

    def test_widths_count_those_of_east_asia_twice(self):
        assert cells("GPU \u4e2d\u6587") == 8
        assert cut("GPU \u4e2d\u6587", 8) == "GPU \u4e2d\u6587"
        assert cut("GPU \u4e2d\u6587", 7) == "GPU \u4e2d…"
        assert cut("GPU \u4e2d\u6587", 6) == "GPU …"


class TestFigure:
    def test_a_notebook_shows_it(self, schedule):
        """Jupyter asks the value of a cell for such a method where no pyplot figure is open."""
        shown = schedule.plot()._repr_png_()
        assert shown.startswith(b"\x89PNG")
        assert len(shown) > 10_000
        assert isinstance(schedule.plot(), Figure)

    @pytest.mark.parametrize(
        "change", [{"energy_budget": 0.0}, {"accuracy": np.full((4, 2), 0.5)}, {}]
    )
    def test_draws_schedules_without_work(self, change):
        instance = Instance(
            **{
                "speeds": [1.0],
                "efficiencies": [1.0],
                "deadlines": [1.0, 2.0, 2.0, 3.0],
                "work": np.array([[0.0, 1.0]] * 4),
                "accuracy": np.array([[0.0, 1.0]] * 4),
                "energy_budget": 1.0,
                **change,
            }
        )
        idle = Schedule.from_work(instance, np.full(4, -1), np.zeros(4))
        figure = draw_gantt(idle)
        figure.canvas.draw()
        assert "4 of 4 tasks not run" in " ".join(texts(figure))

    def test_schedule_plot_is_it(self, schedule):
        assert texts(schedule.plot()) == texts(draw_gantt(schedule))

    def test_leaves_pyplot_alone(self, schedule):
        from matplotlib import pyplot

        draw_gantt(schedule)
        assert pyplot.get_fignums() == []

    def test_draws_into_axes_of_another_figure(self, schedule):
        figure = Figure(figsize=(6, 3))
        ax = figure.subplots()
        draw_gantt_axes(ax, schedule)
        assert len(ax.get_yticklabels()) == 5

    def test_same_schedule_same_bytes(self, schedule, tmp_path):
        for name in ("a.png", "b.png"):
            save_gantt(schedule, tmp_path / name)
        assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()

    def test_refuses_a_folder_that_is_not_there(self, schedule, tmp_path):
        with pytest.raises(InputError, match=r"missing/a\.png"):
            save_gantt(schedule, tmp_path / "missing" / "a.png")


class TestClocks:
    """Where machines have several clocks, the height of a bar is the clock."""

    POINTS = OperatingPoints(np.array([1.0, 2.0, 4.0]), np.array([1.0, 3.0, 12.0]))

    def schedule(self):
        tasks = Instance(
            speeds=[1.0, 1.0],
            efficiencies=[1.0, 1.0],
            deadlines=[2.0, 4.0],
            work=[[0.0, 6.0], [0.0, 8.0]],
            accuracy=[[0.0, 0.8], [0.0, 0.4]],
            energy_budget=100.0,
        )
        problem = DvfsInstance.of(tasks, [self.POINTS, self.POINTS])
        return allocate(problem, np.array([0, 1]))

    def boxes(self, schedule, zorder):
        figure = draw_gantt(schedule)
        (found,) = [
            each
            for each in figure.axes[0].collections
            if isinstance(each, PolyCollection) and each.get_zorder() == zorder
        ]
        return [path.get_extents() for path in found.get_paths()]

    def test_pieces_are_as_high_as_their_clocks(self):
        # 6 GFLOP by 2 s: a second at 4 GFLOP/s, then one at 2. 8 by 4 s: all at 2.
        full, *rest = bars = self.boxes(self.schedule(), zorder=2)
        tall = full.height
        assert [(round(bar.x0, 9), round(bar.x1, 9)) for bar in bars] == [(0, 1), (1, 2), (0, 4)]
        assert [bar.height / tall for bar in rest] == pytest.approx([0.5, 0.5])
        grounds = [bar.y1 - full.y1 for bar in bars]
        assert grounds == pytest.approx([0.0, 0.0, 1.0])

    def test_tasks_are_told_apart(self):
        for zorder in (1.5, 2.5):
            boxes = self.boxes(self.schedule(), zorder)
            assert [(box.x0, box.x1) for box in boxes] == [(0.0, 2.0), (0.0, 4.0)]

    def test_what_the_heights_mean_is_told(self):
        told = [text.get_text() for text in draw_gantt(self.schedule()).texts]
        assert any("clock" in text for text in told)
        plain = allocate(self.schedule().instance.core, np.array([0, 1]))
        assert not any("clock" in text.get_text() for text in draw_gantt(plain).texts)


def test_machines_tell_utilisation_and_energy():
    instance = Instance(
        speeds=[10.0, 20.0],
        efficiencies=[2.0, 1.0],
        deadlines=[4.0],
        work=[[0, 40]],
        accuracy=[[0, 0.4]],
        energy_budget=1e3,
    )
    figure = draw_gantt(Schedule.from_work(instance, np.array([0]), np.array([30.0])))
    written = [text.get_text() for text in figure.texts]
    assert {"75 % · 15 J", "0 % · 0 J"} <= set(written)
    many = generate(10, 60, seed=1)
    crowded = draw_gantt(spread(many))
    assert not any(text.get_text().endswith("mJ") for text in crowded.texts)


@pytest.mark.parametrize(
    ("accuracy", "told"),
    [([0.0, 0.2, 0.4], "accuracy"), ([0.0, 0.7, 0.71], "accuracy (scale not linear)")],
)
def test_a_scale_that_is_not_linear_says_so(accuracy, told):
    instance = Instance(
        speeds=[10.0],
        efficiencies=[2.0],
        deadlines=[4.0],
        work=[[0, 20, 40]],
        accuracy=[accuracy],
        energy_budget=1e3,
    )
    figure = draw_gantt(Schedule.from_work(instance, np.array([0]), np.array([30.0])))
    assert figure.axes[1].get_ylabel() == told
