"""Plants identifiers in disguise and looks for them afterwards; shares no code with simdiag."""
