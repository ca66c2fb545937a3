from dataclasses import replace

from dsct_gym import generate
from dsct_gym.benchmark.job import Job
from dsct_gym.benchmark.spec import Spec

INSTANCE = generate(5, 2, seed=1)
MIP = Spec("mip", {"threads": 1, "relative_gap": 0.1})


def test_the_key_is_that_of_the_content():
    job = Job("a", INSTANCE, MIP, 5.0, 3)
    alike = Spec("mip", {"relative_gap": 0.1, "threads": 1})
    assert job.key == Job("b", generate(5, 2, seed=1), alike, time_limit=5, seed=3).key
    others = [
        replace(job, instance=generate(5, 2, seed=2)),
        replace(job, solver=Spec("exact", MIP.options)),
        replace(job, solver=Spec("mip", {"threads": 2, "relative_gap": 0.1})),
        replace(job, time_limit=6.0),
        replace(job, time_limit=None),
        replace(job, seed=4),
        replace(job, seed=None),
    ]
    assert len({job.key, *(other.key for other in others)}) == 8


def test_the_key_is_that_of_folders_that_exist():
    """As version 0.1.0 wrote them, when the folders were top-level modules."""
    here = Job("a", INSTANCE, Spec("dsct_gym.agents.stable:Sb3Agent", {"path": "p"}), 1.0, 0)
    assert here.key == "75bbfdab4b004efa051a70ba8a8cd6009305d5f7f90c54825d72404823fffb89"
    mip = Job("a", INSTANCE, MIP, 5.0, 3)
    assert mip.key == "51af27d6f6bed0914c68fcbb2d042979e651abd66eec38f5bb54dcb7e10cdbdf"
