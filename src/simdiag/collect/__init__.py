"""Sources of observations. Rules never ask which of them a fact came from."""
