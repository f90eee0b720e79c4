"""What was said on a port, written down and read back: the recorded form and pasted logs."""
