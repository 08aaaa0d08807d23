"""Loads Pandera without what it would load along: where PySpark is installed, Pandera imports PySpark's pandas API.

That takes half a second and loads pandas into every process; Pandera needs it only for its types of PySpark's pandas,
which are not used here. It would also point Spark's driver at the loopback address, where no cluster finds it, and let
Arrow drop the zones of Python's times: 21:00 in New York would be 21:00 UTC.
"""

import os
import sys

_SKIPPED = "pyspark.pandas"
_VARIABLES = ("SPARK_LOCAL_IP",)


def _load_pandera() -> None:
    """Import Pandera, unless somebody else has, and leave the environment as it was."""
    if "pandera" in sys.modules or _SKIPPED in sys.modules:
        return
    before = {name: os.environ.get(name) for name in _VARIABLES}
    sys.modules[_SKIPPED] = None  # type: ignore[assignment]  # how Python marks a module that cannot be imported
    try:
        import pandera  # noqa: F401, PLC0415  # imported for its effect, now
    finally:
        del sys.modules[_SKIPPED]
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)


_load_pandera()
# Whoever imported Pandera first, and whatever of it is imported later: zones count. Unset, Pandera would set it again.
os.environ["PYARROW_IGNORE_TIMEZONE"] = ""
