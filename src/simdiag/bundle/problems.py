"""What a bundle's commands raise."""

from __future__ import annotations

from simdiag.errors import SimdiagError


class BundleError(SimdiagError):
    """A file is no bundle, or none that may be trusted: one sentence says why."""
