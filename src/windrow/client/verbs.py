"""Verbs: what the parts of the client have in common.

Owns the one value that they share; knows nothing of single verbs.
"""

from windrow.client.asking import Asking


class Verbs:
    """Some verbs of a client.

    Args:
        asking: Sends what they ask.
    """

    __slots__ = ("asking",)

    def __init__(self, asking: Asking) -> None:
        self.asking = asking
