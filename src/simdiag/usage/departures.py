"""What interfaces had counted when they left; the kernel says so once, to who listens."""

from __future__ import annotations

import errno

from simdiag.closing import Closing
from simdiag.usage import links
from simdiag.usage.netlink import ROUTE, Netlink
from simdiag.usage.records import Amount

_GROUP = 1  # linux/rtnetlink.h: RTMGRP_LINK
_GONE = 17  # RTM_DELLINK


class Departures(Closing):
    """Listens in this network namespace from the moment it is made. Raises ``OSError``."""

    def __init__(self) -> None:
        self._netlink = Netlink(ROUTE, groups=_GROUP)

    def close(self) -> None:
        """Listen no more."""
        self._netlink.close()

    def of(self, index: int) -> Amount | None:
        """Return the last counters of the interface that had that index, once; ``None`` if unheard.

        Meant for one interface: what was heard of others is forgotten.
        """
        found = None
        try:
            for kind, body in self._netlink.heard():
                there, counters = links.counted(body) if kind == _GONE else (0, None)
                if there == index:
                    found = counters
        except OSError as problem:
            if problem.errno != errno.ENOBUFS:  # so many that the kernel dropped some
                raise
        return found
