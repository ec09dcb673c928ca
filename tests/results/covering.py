"""Do intervals contain the planted value as often as they say? Slow, so not a test:

    python tests/results/covering.py [STUDIES] [NAME …]

Every test file of a question has `covered(rng)`, which makes one synthetic study, asks the question
of it, and says for each kind of interval how often it contained what was planted. The tests run
fewer studies. Kinds whose names end in "(at least)" are conservative by construction.
"""

import importlib.util
import sys
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
STATED, TOLERANCE = 0.95, 0.04


def modules(names):
    """The test files that have `covered`, or those of these names."""
    sys.path.insert(0, str(HERE))
    for path in sorted(HERE.glob("test_*.py")):
        name = path.stem.removeprefix("test_")
        if "def covered(" in path.read_text() and (not names or name in names):
            spec = importlib.util.spec_from_file_location(path.stem, path)
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            yield name, module.covered


def main():
    """A line per kind of interval; exit code 1 where one covers too little, or too much."""
    studies = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    wrong = 0
    for name, covered in modules(sys.argv[2:]):
        begun = time.perf_counter()
        found = [covered(np.random.default_rng([200, i])) for i in range(studies)]
        seconds = time.perf_counter() - begun
        for kind in found[0]:
            share = float(np.mean([one[kind] for one in found]))
            low = share < STATED - TOLERANCE
            high = share > STATED + TOLERANCE and not kind.endswith("(at least)")
            wrong += low or high
            mark = "  too little" if low else "  too much" if high else ""
            print(f"{name:20} {kind:52} {share:.3f}{mark}", flush=True)
        print(f"{name:20} {studies} studies, {seconds:.0f} s", flush=True)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
