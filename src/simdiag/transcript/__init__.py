"""What was said on a port, written down and read back: the recorded form and pasted logs."""

from simdiag.transcript.reader import read_log
from simdiag.transcript.recorded import Recorder, Recording, escape, unescape

__all__ = ["Recorder", "Recording", "escape", "read_log", "unescape"]
