"""placeholder"""
from collections.abc import Iterable
from simdiag.conversation import Conversation
def read_pasted(lines: Iterable[str], conversation: Conversation) -> None:
    raise NotImplementedError
