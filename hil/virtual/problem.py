"""What keeps the virtual bench from running."""


class BenchProblem(Exception):
    """The text is one sentence that says what is wrong and what to do."""
