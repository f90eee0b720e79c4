"""``python -m simdiag``."""

from simdiag.cli import main

if __name__ == "__main__":
    main()
