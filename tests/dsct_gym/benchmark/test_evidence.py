import json

import pytest

from dsct_gym import InputError, generate
from dsct_gym.benchmark.execution import run_job
from dsct_gym.benchmark.job import Job
from dsct_gym.benchmark.report.results import Results
from dsct_gym.benchmark.session import Conduct, Session
from dsct_gym.benchmark.spec import Spec
from dsct_gym.benchmark.store import Store, _digest

JOB = Job("five", generate(5, 2, seed=0), Spec("greedy"), 1.0, 0)


@pytest.fixture
def kept(tmp_path):
    store = Store(tmp_path)
    store.put_instance(JOB)
    store.put(run_job(JOB))
    return store.path_of(JOB)


def forge(path, field, value):
    """Writes another number into a record, and the checksum that goes with it."""
    document = json.loads(path.read_text())
    document.pop("sha256")
    document["record"][field] = value
    document["sha256"] = _digest(document)
    path.write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("total_accuracy", 4.9),
        ("value", 4.9),
        ("fairness", 0.5),
        ("slack", 0.01),
        ("makespan", 1e-9),
        ("energy", 0.0),
        ("energy_budget", 1e9),
        ("tasks", 6),
        ("fractional_bound", 3.0),
        ("proven_bound", 0.1),
    ],
)
def test_what_its_schedule_refutes_is_not_believed(kept, field, value):
    """Neither by a resumed benchmark, which runs it again, nor by a report, which leaves it out."""
    true = json.loads(kept.read_text())["record"][field]
    forge(kept, field, value)
    store = Store(kept.parents[2])
    session = Session([JOB], store)
    (told,) = session.resume()
    assert field in told
    assert session.missing == [JOB]
    with pytest.raises(InputError, match=field):
        Results.load(store.folder)
    session.run(Conduct(), lambda run: None)
    assert json.loads(kept.read_text())["record"][field] == pytest.approx(true)
