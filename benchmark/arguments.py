"""What people type, as values. Everything wrong raises `BadInput` with one line."""

import hashlib
import importlib.util
import sys
import traceback
from pathlib import Path

from soberlook.registry import BadInput, unknown

from .study import STUDIES, Study

MAX_SEEDS = 100_000


def find_study(name: str) -> Study:
    """The study called `name`, of ours or of a plugin."""
    from . import studies  # noqa: F401  registers them

    return STUDIES.find(name)


def names(text: str) -> list[str] | None:
    """ "a,b" → ["a", "b"]; nothing → None."""
    return [name.strip() for name in text.split(",") if name.strip()] if text else None


def seeds(text: str) -> list[int] | None:
    """ "3" → [0, 1, 2]; "5-7" → [5, 6, 7]; "0,3,7" → [0, 3, 7]; nothing → None."""
    if not text:
        return None
    wrong = BadInput(
        f"--seeds must be how many (5), a range (5-9) or a list (0,3,7), found {text!r}"
    )
    try:
        if "-" in text:
            first, last = map(int, text.split("-"))
            found = range(first, last + 1)
        elif "," in text:
            found = [int(part) for part in text.split(",")]
        else:
            found = range(int(text))
    except ValueError:
        raise wrong from None
    if not found:
        raise BadInput(f"--seeds must be at least one seed, found {text!r}")
    if len(found) > MAX_SEEDS:
        raise BadInput(f"--seeds must be at most {MAX_SEEDS:,} seeds, found {text!r}")
    return list(found)


def whole_number(option: str, text: str, low: int | None = None) -> int | None:
    """ "300" → 300; nothing → None."""
    if not text:
        return None
    at_least = "" if low is None else f" ≥ {low}"
    wrong = BadInput(f"{option} must be a whole number{at_least}, found {text!r}")
    try:
        number = int(text.replace(",", "").replace("_", ""))
    except ValueError:
        raise wrong from None
    if low is not None and number < low:
        raise wrong
    return number


def keeping(keep: str, seconds: str):
    """What `--keep` and `--checkpoint-every` say, as a `Keeping`."""
    from .keep import CHECKPOINTS, Keeping
    from .parameters import POLICIES

    if keep not in POLICIES:
        raise unknown("policy of --keep", keep, POLICIES)
    every = whole_number("--checkpoint-every", seconds, low=0)
    return Keeping(CHECKPOINTS if every is None else every or None, keep)


def resources(takes: str, ray: str):
    """What `--resources` says, as `Resources`; nothing → None. It is of a cluster: `--ray`."""
    from .resources import parse

    if takes and not ray:
        raise BadInput(f"--resources {takes} is of a cluster: give --ray, too")
    return parse(takes) if takes else None


def numbers(option: str, text: str) -> list[int] | None:
    """ "1,8" → [1, 8]; nothing → None."""
    return [whole_number(option, part, low=1) for part in names(text)] if text else None


def shares(option: str, text: str) -> list[float] | None:
    """ ".1,.5,1" → [0.1, 0.5, 1.0]; nothing → None."""
    try:
        return [float(part) for part in names(text)] if text else None
    except ValueError:
        raise BadInput(f"{option} must be numbers up to 1, by comma, found {text!r}") from None


def settings(texts: list[str]) -> dict:
    """["beta=1,4", "network=mlp"] → {"beta": [1, 4], "network": "mlp"}."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise BadInput(f"--set must be NAME=VALUE, found {text!r}")
        values = [_value(part) for part in value.split(",")]
        found[name.strip()] = values if len(values) > 1 else values[0]
    return found


def load_plugins(files: list[str]):
    """Import Python files that register models, datasets, metrics or studies.

    A file is known by its content, so that the same text is imported once in a process, wherever
    it lies.
    """
    for file in files:
        path = Path(file)
        if not path.is_file():
            raise BadInput(f"--plugin must be a Python file, found none at {file!r}")
        path = path.resolve()
        module_name = f"soberlook_plugin_{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"
        if module_name in sys.modules:
            continue
        spec = importlib.util.spec_from_file_location(module_name, path)
        if spec is None:
            raise BadInput(f"--plugin must be a file that ends in .py, found {file!r}")
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException as error:
            del sys.modules[module_name]
            if isinstance(error, Exception):
                reason = f"{type(error).__name__}: {error}".splitlines()[0]
                lines = [
                    frame.lineno
                    for frame in traceback.extract_tb(error.__traceback__)
                    if frame.filename == str(path)
                ]
                line = f", line {lines[-1]}" if lines else ""
                raise BadInput(f"--plugin {file}{line}: {reason}") from error
            raise


def _value(text):
    """A number or true/false where it is one, else the text."""
    for read in (int, float, {"true": True, "false": False}.__getitem__):
        try:
            return read(text)
        except (ValueError, KeyError):
            pass
    return text
