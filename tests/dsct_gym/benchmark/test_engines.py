"""The same command on a real local Dask and a real local Ray cluster."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dsct_gym import InputError, generate
from dsct_gym.benchmark.guard import Limits
from dsct_gym.benchmark.job import Job
from dsct_gym.benchmark.record import Status
from dsct_gym.benchmark.runner import run_jobs
from dsct_gym.benchmark.spec import Spec
from dsct_gym.cli import run

SOLVERS = "greedy,approx,edf-3-levels"


@pytest.fixture(scope="module")
def dask() -> Iterator[str]:
    distributed = pytest.importorskip("distributed", reason="extra 'dask' is not installed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, dashboard_address=None, host="127.0.0.1"
    ) as cluster:
        yield cluster.scheduler_address


@pytest.fixture(scope="module")
def ray() -> Iterator[str]:
    pytest.importorskip("ray", reason="extra 'ray' is not installed")
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 2, "object_store_memory": 100_000_000, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    yield cluster.address
    cluster.shutdown()


@pytest.fixture
def instance(tmp_path) -> Path:
    path = tmp_path / "i.json"
    generate(10, 3, seed=4, name="ten").save(path)
    return path


def bench(capsys, instance: Path, *options: str) -> dict[str, float]:
    """What the command finds: total accuracy by solver."""
    assert run(["bench", str(instance), "--solvers", SOLVERS, *options, "--json"]) == 0
    records = json.loads(capsys.readouterr().out)["records"]
    return {record["solver"]: record["total_accuracy"] for record in records}


@pytest.mark.parametrize("engine", ["dask", "ray"])
def test_the_same_command_finds_the_same_and_resumes(engine, request, capsys, instance, tmp_path):
    address = request.getfixturevalue(engine)
    there = ("--engine", engine, "--address", address, "-o", str(tmp_path / "out"))
    assert bench(capsys, instance, *there) == bench(capsys, instance)
    # What is there is taken over, wherever it was made.
    assert run(["bench", str(instance), "--solvers", SOLVERS, "-o", str(tmp_path / "out")]) == 0
    assert "resuming: 3 of 3" in capsys.readouterr().err


def test_what_goes_wrong_on_a_cluster_is_recorded(dask):
    instance = generate(10, 3, seed=4)
    names = ("stub_solvers:Hanging", "stub_solvers:Crashing", "greedy")
    jobs = [Job("ten", instance, Spec(name), time_limit=0.1) for name in names]
    runs = run_jobs(jobs, limits=Limits(grace=2.0), engine="dask", address=dask)
    statuses = {run.job.solver.name: run.record and run.record.status for run in runs}
    assert statuses == dict(zip(names, (Status.TIMEOUT, Status.FAILED, Status.OK), strict=True))


@pytest.mark.parametrize("engine", ["dask", "ray"])
@pytest.mark.parametrize(
    ("address", "told"),
    [("127.0.0.1:9", "nothing answers at"), ("there", "host:port"), ("a:b", "host:port")],
)
def test_no_cluster_is_one_line(engine, address, told):
    pytest.importorskip("distributed" if engine == "dask" else "ray")
    job = Job("ten", generate(5, 2, seed=1), Spec("greedy"))
    with pytest.raises(InputError, match=told):
        list(run_jobs([job], engine=engine, address=address))
