"""Reads AT logs as people paste them, whatever tool printed them.

A line of the log goes through four files: ``unwrap`` takes off what a tool put around it
(``tools`` lists the tools; one more tool is one more row there), ``judge`` says what is left,
by the rules of the AT core and, where those are silent, by its ``words``; ``reader`` puts commands
and answers together, for each port on its own. Prose is never evidence: what is not clearly a
command or a line of a modem is dropped.
"""

from simdiag.transcript.pasted.reader import read_pasted

__all__ = ["read_pasted"]
