"""How long the commands take, beside the import of TensorFlow and of NumPy that nothing can avoid.

python scripts/bench_startup.py
"""

import compileall
import shutil
import statistics
import sys
from pathlib import Path

from measure import paired, process, python, ratio, show

import gradcheck as package

CASE = "cases/matmul_chain.yaml"


def main() -> None:
    compileall.compile_dir(Path(package.__file__).parent, quiet=2)  # as pip does for what it installs
    gradcheck = shutil.which("gradcheck") or sys.exit("gradcheck is not installed in this environment")
    slow = paired(
        {
            "import tensorflow": python("import tensorflow"),
            f"gradcheck compare {CASE}": process([gradcheck, "compare", CASE, "--no-cache"]),
        },
        rounds=7,
    )
    quick = paired(
        {
            "import numpy": python("import numpy"),
            "gradcheck --help": process([gradcheck, "--help"]),
            f"gradcheck check {CASE}": process([gradcheck, "check", CASE]),
            f"gradcheck run {CASE}": process([gradcheck, "run", CASE]),
            "gradcheck ops": process([gradcheck, "ops"]),
        },
        rounds=11,
    )
    for title, times in (("With TensorFlow", slow), ("Without TensorFlow", quick)):
        base = next(iter(times.values()))
        rows = [[name, f"{statistics.median(each):.3f}", f"{ratio(each, base):.2f}"] for name, each in times.items()]
        show(title, ["command", "seconds", "ratio"], rows)


if __name__ == "__main__":
    main()
