"""Reports through the fault proxy to a real desk: how many tickets and files does it hold after?

``python benchmarks/outbox.py request_tracker 500`` sends with two senders at once;
``… request_tracker 500 kill`` with one that is killed at random moments. Needs the desk installed
(tests/desk_servers.py says how). Prints one line of JSON; the status is 1 unless all is exact.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import desk_servers
import outbox_run as run
from fault_proxy import FAULTS, faulty

MOST_S = float(os.environ.get("MOST_S", 4 * 3600))


def main(kind: str, reports: int, kill: bool) -> int:
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        base.chmod(0o755)
        with getattr(desk_servers, kind)(base / "desk") as server:
            os.environ[run.TOKEN] = server.secret
            bundles = run.fill(base / "outbox", reports)
            began, kills = time.monotonic(), 0
            with faulty(server.port, FAULTS, seed=7) as proxy:
                if kill:
                    kills = run.send_with_kills(base / "outbox", kind, proxy.port, MOST_S, seed=7)
                else:
                    run.send_with_two(base / "outbox", run.desk_settings(kind, proxy.port), MOST_S)
                seconds = time.monotonic() - began
            direct = run.desk_settings(kind, server.port)
            found = run.count(base / "outbox", server.folder, direct, bundles)
    result = {
        "desk": kind,
        "reports": reports,
        "seconds": round(seconds),
        "kills": kills,
        "requests": dict(proxy.met),
        "of them changing": dict(proxy.writes),
        **found,
    }
    print(json.dumps(result, default=str))
    return int(found != run.exact(reports))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), sys.argv[3:] == ["kill"]))
