"""The statistics in planted worlds: false verdicts, power, coverage. See planted_worlds.py.

python benchmarks/statistics.py [STUDIES]
"""

import importlib.util
import sys
import sysconfig
from pathlib import Path

if __name__ == "__main__":
    from planted_worlds import main

    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000)
else:
    # A script's folder comes first on Python's path, so that this file hides the standard
    # library's module of the same name from the scripts beside it: hand that over instead.
    path = Path(sysconfig.get_path("stdlib")) / "statistics.py"
    found = importlib.util.spec_from_file_location("statistics", path)
    assert found is not None
    assert found.loader is not None
    sys.modules["statistics"] = importlib.util.module_from_spec(found)
    found.loader.exec_module(sys.modules["statistics"])
