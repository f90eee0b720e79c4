"""Run a command in the guest of the virtual bench: ``in_guest.py COMMAND [ARGUMENT ...]``.

It runs as root in the present directory, sees all files of this computer (what it changes is gone
afterwards, except in ``build/bench/results``), and its exit status is handed on.
"""

from __future__ import annotations

import sys

from virtual.guest import main

if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: in_guest.py COMMAND [ARGUMENT ...]")
    sys.exit(main(sys.argv[1:]))
