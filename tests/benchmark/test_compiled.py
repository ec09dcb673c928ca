"""Compiled programs are kept beside the store, where nobody else can put any."""

import os
import subprocess
import sys
from pathlib import Path

import jax
import pytest
from jax.experimental.compilation_cache import compilation_cache

from soberlook import results
from soberlook.benchmark.compiled import beside, kept_programs

AS_SHIPPED = True

STUDY = ("run", "quick", "--models", "beta_vae", "--seeds", "1", "--updates", "3")
STUDY += ("--metrics", "mig")


@pytest.fixture(autouse=True)
def nothing_is_configured(monkeypatch):
    """The tests' own folder is not used here, nor what other tests have compiled."""
    jax.clear_caches()
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    before = jax.config.jax_compilation_cache_dir
    jax.config.update("jax_compilation_cache_dir", None)
    compilation_cache.reset_cache()
    yield
    jax.config.update("jax_compilation_cache_dir", before)
    compilation_cache.reset_cache()


def in_a_process(*arguments):
    program = Path(sys.executable).with_name("soberlook")
    result = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stderr


def test_a_second_run_compiles_nothing_again_and_says_the_same(tmp_path):
    in_a_process(*STUDY, "--out", tmp_path / "first")
    programs = tmp_path / ".compiled"
    files = sorted(programs.glob("*-cache"))
    assert len(files) >= 5 and programs.stat().st_mode & 0o777 == 0o700
    in_a_process(*STUDY, "--out", tmp_path / "second")
    assert sorted(programs.glob("*-cache")) == files
    first, second = (results.load(tmp_path / name) for name in ("first", "second"))
    assert second["compile_seconds"].sum() < first["compile_seconds"].sum() / 3
    assert first["mig"].to_list() == second["mig"].to_list()


def test_none_are_kept_where_none_are_wanted(soberlook, tmp_path):
    code, _, said = soberlook(*STUDY, "--out", tmp_path / "q", "--no-cache")
    assert code == 0 and "s of it compiling" in said
    assert [path.name for path in tmp_path.iterdir()] == ["q"]


def test_they_lie_beside_a_store_and_never_in_it(tmp_path):
    assert beside(str(tmp_path / "runs" / "quick")) == str(tmp_path / "runs" / ".compiled")
    assert beside("s3://bucket/quick") == ""


@pytest.mark.parametrize("danger", ["writable", "link"])
def test_a_folder_that_others_can_write_to_is_not_used(tmp_path, danger):
    folder = tmp_path / ".compiled"
    if danger == "link":
        (tmp_path / "elsewhere").mkdir()
        folder.symlink_to(tmp_path / "elsewhere")
    else:
        folder.mkdir()
        os.chmod(folder, 0o777)
    with (
        pytest.warns(UserWarning, match="is not yours alone: compiled programs are not kept"),
        kept_programs(str(folder)),
    ):
        assert jax.config.jax_compilation_cache_dir is None


def test_a_place_that_cannot_be_written_to_costs_nothing_but_time(tmp_path):
    (tmp_path / "file").touch()
    for place in ("file", "no/such/folder"):
        with kept_programs(str(tmp_path / place / ".compiled")):
            assert jax.config.jax_compilation_cache_dir is None
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
