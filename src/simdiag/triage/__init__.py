"""The desk's side: what many bundles have in common."""
