"""The collectors: every file here has a ``COLLECTOR``, and there is no list of them anywhere."""
