"""What all tests share: strict arithmetic, and a small finished study."""

import atexit
import logging
import os
import shutil
import tempfile

import jax
import pytest

from soberlook.benchmark import cli
from soberlook.benchmark.study import Budget, Study, register

jax.config.update("jax_numpy_rank_promotion", "raise")

# What one test has compiled no other compiles again, in whichever process it runs.
CACHE = "JAX_COMPILATION_CACHE_DIR"
if CACHE not in os.environ:
    os.environ[CACHE] = tempfile.mkdtemp(prefix="soberlook-tests-")
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.2"
    atexit.register(shutil.rmtree, os.environ[CACHE], ignore_errors=True)
jax.config.update("jax_compilation_cache_dir", os.environ[CACHE])
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)


@pytest.fixture(scope="module", autouse=True)
def compiled_for_little(request):
    """Most tests compile a program and run it once or twice: it is compiled for less than the speed
    it could have, in half of the time, which is nearly all of it. A module that is about numbers or
    programs as they ship says so: `AS_SHIPPED = True`."""
    little = not getattr(request.module, "AS_SHIPPED", False)
    if jax.config.read("jax_disable_most_optimizations") != little:
        jax.config.update("jax_disable_most_optimizations", little)
        jax.clear_caches()  # what is compiled already would be used whatever is said now


SMALL = register(
    Study(
        name="small",
        about="A study for tests.\n\nOne method, four strengths, five seeds.",
        datasets=("mini_sprites",),
        models=(("beta_vae", {"beta": (0.25, 1, 4, 8)}),),
        fields={"learning_rate": 1e-3},
        seeds=tuple(range(5)),
        budget=Budget(updates=2_000, batch_size=64),
        metrics=("mig", "reconstruction", "kl", "active_units"),
    )
)


@pytest.fixture
def soberlook(monkeypatch, capsys):
    """The command line in this process: soberlook("run", "quick") → (exit code, out, err)."""

    def call(*arguments):
        monkeypatch.setattr("sys.argv", ["soberlook", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        return stop.value.code or 0, *capsys.readouterr()

    return call


class ObjectStore:
    """An S3 server on this machine that can be stopped and started; what it holds stays."""

    def __init__(self):
        self.port, self.buckets = 0, 0
        self.start()

    def start(self):
        from moto.server import ThreadedMotoServer

        self.server = ThreadedMotoServer("127.0.0.1", self.port, verbose=False)
        self.server.start()
        _, self.port = self.server.get_host_and_port()

    def stop(self):
        self.server.stop()

    def environment(self) -> dict[str, str]:
        """In which it is found."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": "127.0.0.1",
        }

    def bucket(self) -> str:
        """The URL of a new bucket."""
        import s3fs

        self.buckets += 1
        s3fs.S3FileSystem().mkdir(f"bucket-{self.buckets}")
        return f"s3://bucket-{self.buckets}"


@pytest.fixture(scope="session")
def s3():
    """An `ObjectStore`, which all that speaks S3 finds by the environment, as a user's would be."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ObjectStore()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment().items():
            patch.setenv(name, value)
        yield server
    server.stop()


@pytest.fixture(scope="session")
def small_store(tmp_path_factory):
    """A finished study: `small` with 2 seeds and 40 updates."""
    from soberlook.benchmark.inline import run_inline
    from soberlook.benchmark.plan import make_plan
    from soberlook.benchmark.progress import Progress
    from soberlook.benchmark.terminal import err
    from soberlook.results.store import Store

    where = tmp_path_factory.mktemp("small") / "small"
    store = Store(where)
    plan = make_plan(SMALL.narrowed(seeds=[0, 1], updates=40), store)
    with Progress(plan, err) as progress:
        run_inline(plan, store, progress)
    return where
