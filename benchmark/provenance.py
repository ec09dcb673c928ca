"""Where numbers came from: recorded with every run, part of no id."""

import platform
import subprocess
from functools import cache
from importlib.metadata import version
from pathlib import Path

import jax


@cache
def provenance() -> dict:
    """Versions, git revision and device."""
    device = jax.devices()[0]
    return {
        "soberlook": version("soberlook"),
        "git_revision": git_revision(Path(__file__).parents[1]),
        "jax": version("jax"),
        "python": platform.python_version(),
        "device": f"{device.platform}: {device.device_kind}",
    }


def git_revision(root: Path) -> str | None:
    """The commit of the checkout this code runs from, "+" where files differ; None elsewhere."""

    def git(*arguments):
        command = ["git", "-C", str(root), *arguments]
        result = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
        return result.stdout.strip()

    try:
        if Path(git("rev-parse", "--show-toplevel")).resolve() != root.resolve():
            return None  # installed inside somebody else's repository
        return git("rev-parse", "--short=12", "HEAD") + (
            "+" if git("status", "--porcelain") else ""
        )
    except (OSError, subprocess.SubprocessError):
        return None
