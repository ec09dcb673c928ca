"""The architecture holds: who knows whom, what is heavy, and what is installed."""

import ast
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("registry", "models", "metrics", "datasets", "results", "benchmark")
ARROWS = {
    "registry": set(),
    "models": {"registry"},
    "metrics": {"registry"},
    "datasets": {"registry"},
    "results": {"registry", "models"},  # models: what `checkpoint` gives back is one
    "benchmark": {"registry", "models", "metrics", "datasets", "results"},
}
KNOWN = {  # third-party packages a folder may import
    "registry": set(),
    "models": {"jax", "flax", "optax", "jaxtyping", "numpy"},
    "metrics": {"jax", "numba", "numpy", "optax", "scipy", "sklearn", "jaxtyping"},
    "datasets": {
        "jax",
        "numpy",
        "scipy",
        "sklearn",
        "skimage",
        "tensorflow_datasets",
        "h5py",
        "PIL",
        "jaxtyping",
    },
    "results": {"pandas", "pyarrow", "fsspec", "numpy", "scipy", "matplotlib", "safetensors"},
    "benchmark": {
        "jax",
        "numpy",
        "pandas",
        "threadpoolctl",
        "ray",
        "typer",
        "rich",
        "PIL",
        "torch",
    },
}


def imports(path):
    """Absolute imports of a file: (module, names)."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module, tuple(alias.name for alias in node.names)


def python_files(folder):
    return sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("folder", FOLDERS)
def test_folders_know_only_what_the_design_says(folder):
    for path in python_files(folder):
        for module, names in imports(path):
            top, *rest = module.split(".")
            if top == "soberlook":
                others = {rest[0]} if rest else set(names)
                assert others <= ARROWS[folder] | {folder}, f"{path} imports {others}"
            elif top not in sys.stdlib_module_names:
                assert top in KNOWN[folder], f"{path} imports {top}"


def test_flax_modules_stay_in_the_network_file():
    users = [p.name for p in python_files("models") for m, _ in imports(p) if m.startswith("flax")]
    assert set(users) == {"networks.py"}


def test_the_benchmark_names_no_concrete_thing_outside_its_studies():
    from soberlook.datasets import DATASETS
    from soberlook.models import MODELS

    concrete = {*MODELS, *DATASETS, *(cls.__name__ for cls in MODELS.values())}
    for path in python_files("benchmark"):
        if "studies" not in path.parts:
            assert not {name for name in concrete if name in path.read_text()}, path


def test_setup_cfg_lists_every_package():
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    found = {
        "soberlook." + ".".join(path.parent.relative_to(ROOT).parts)
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("__init__.py")
    }
    assert set(config["options"]["packages"].split()) == found


def run_python(code, *flags):
    command = [sys.executable, *flags, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_models_are_light_to_import():
    heavy = {"ray", "tensorflow_datasets", "pandas", "sklearn", "matplotlib", "pyarrow"}
    code = f"import soberlook.models, sys; print({heavy!r} & set(sys.modules))"
    assert run_python(code).stdout.strip() == "set()"


def test_help_does_not_wait_for_anything_heavy():
    heavy = {"jax", "numpy", "pandas", "rich.progress"}
    code = f"import soberlook.benchmark.cli, sys; print({heavy!r} & set(sys.modules))"
    assert run_python(code).stdout.strip() == "set()"


def test_everything_works_without_ray_and_tensorflow_datasets(tmp_path):
    code = f"""
import sys
sys.modules["ray"] = sys.modules["tensorflow_datasets"] = None
sys.argv = "soberlook run quick --models beta_vae --updates 2 --seeds 1 --out {tmp_path}/q".split()
from soberlook.benchmark.cli import main
main()
"""
    result = run_python(code)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "q" / "report.html").exists()


def test_the_datasets_folder_refuses_to_pose_as_another_package():
    result = run_python(f"import sys; sys.path.insert(0, {str(ROOT)!r}); import datasets")
    assert "import soberlook.datasets" in result.stderr
