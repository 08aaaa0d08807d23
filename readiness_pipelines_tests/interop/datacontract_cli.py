"""Whether datacontract-cli, which is no dependency, accepts what we write: ``make contracts``."""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from readiness_pipelines.contracts import Domain, Table
from readiness_pipelines.delivery import gate_of
from readiness_pipelines.errors import GateBuildError
from readiness_pipelines_tests.interop.importing import export

MODULES = (
    *(f"readiness_pipelines.examples.{name}" for name in ("fab", "fraud", "readmissions")),
    *(f"readiness_pipelines_tests.gallery.{name}" for name in (
        "air", "cards", "covid", "movies", "prices", "sensors", "shop", "taxi", "tills")),
    "readiness_pipelines_tests.interop.everything",
)  # fmt: skip

LINT = """
import json, sys
from pathlib import Path
from datacontract.data_contract import DataContract
for file in sorted(Path(sys.argv[1]).iterdir()):
    run = DataContract(data_contract_file=str(file)).lint()
    print(json.dumps([file.name, run.result.value, [one.reason for one in run.checks if one.reason]]))
"""


def tables() -> Iterator[Table]:
    """All tables whose gates can be built."""
    for name in MODULES:
        for domain in {id(one): one for one in vars(import_module(name)).values() if isinstance(one, Domain)}.values():
            for table in domain.tables:
                try:
                    gate_of(table)
                except GateBuildError:
                    continue
                yield table


def main() -> int:
    """Export all, lint all, and say which are refused."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=".venv-contracts/bin/python", help="the Python that has datacontract-cli")
    python = parser.parse_args().python
    with tempfile.TemporaryDirectory() as folder:
        written = export(tables(), Path(folder))
        command = [python, "-W", "ignore", "-c", LINT, folder]
        found = subprocess.run(command, capture_output=True, text=True, check=False)
    if found.returncode:
        sys.stderr.write(found.stderr)
        return 2
    lines = [json.loads(line) for line in found.stdout.splitlines() if line.startswith("[")]
    refused = [line for line in lines if line[1] != "passed"]
    for name, result, reasons in refused:
        sys.stdout.write(f"{name}: {result}: {'; '.join(reasons)}\n")
    sys.stdout.write(f"{len(lines) - len(refused)} of {len(written)} contracts are accepted\n")
    return int(bool(refused) or len(lines) != len(written))


if __name__ == "__main__":
    sys.exit(main())
