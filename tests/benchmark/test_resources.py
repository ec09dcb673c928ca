"""What a cohort takes of a cluster, as words, as Ray's options, and as a worker's environment."""

import pytest

from soberlook.benchmark.resources import Resources, parse, usual
from soberlook.registry import BadInput


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("cpu=2", Resources(cpu=2)),
        ("cpu=1,gpu=.5", Resources(cpu=1, gpu=0.5)),
        (" gpu=2 , cpu=.5", Resources(cpu=0.5, gpu=2)),
        ("tpu=4", Resources(tpu=4)),
    ],
)
def test_words_are_resources(text, found):
    assert parse(text) == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gpus=1", "must be like cpu=1,gpu=.5, found 'gpus=1'"),
        ("gpu", "must be like"),
        ("gpu=x", "must be like"),
        ("gpu=1.5", "gpu must be a whole number, or for cpu and gpu a part of one, found 1.5"),
        ("tpu=.5", "tpu must be a whole number"),
        ("cpu=-1", "cpu must be"),
        ("cpu=nan", "cpu must be"),
        ("cpu=inf", "cpu must be"),
        ("cpu=0", "must not all be nothing"),
    ],
)
def test_other_words_are_one_line(text, message):
    with pytest.raises(BadInput, match=message):
        parse(text)


def node(alive=True, **resources):
    return {"Alive": alive, "Resources": {"CPU": 8, "memory": 1e9} | resources}


def test_a_cohort_takes_the_best_there_is():
    assert usual([node(), node()]) == Resources()
    assert usual([node(), node(GPU=4)]) == Resources(gpu=1)
    assert usual([node(GPU=1), node(TPU=4), node(TPU=8)]) == Resources(tpu=4)
    assert usual([node(), node(GPU=4, alive=False)]) == Resources()


def test_room_is_what_all_of_it_fits_into():
    total = {"CPU": 16, "GPU": 3}
    assert Resources(cpu=1, gpu=0.5).room(total) == 6
    assert Resources(cpu=8, gpu=0.5).room(total) == 2
    assert Resources(tpu=4).room(total) == 0


def test_workers_are_told_outright():
    cpu = Resources(cpu=2).environment()
    assert cpu["JAX_PLATFORMS"] == "cpu" and cpu["OMP_NUM_THREADS"] == "2"
    assert not any(name.startswith("XLA_PYTHON") for name in cpu)
    gpu = Resources(gpu=0.5).environment()
    assert gpu["JAX_PLATFORMS"] == "cuda" and gpu["XLA_PYTHON_CLIENT_MEM_FRACTION"] == "0.45"
    assert Resources(gpu=2).environment()["XLA_PYTHON_CLIENT_MEM_FRACTION"] == "0.9"
    assert Resources(tpu=4).environment()["JAX_PLATFORMS"] == "tpu"
    assert Resources(cpu=1, tpu=4).options == {
        "num_cpus": 1,
        "num_gpus": 0.0,
        "resources": {"TPU": 4},
    }
