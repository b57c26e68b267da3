"""What every part of a session stands on: the operations that do the verbs.

Owns the reference to them; knows nothing of which verbs there are.
"""

from windrow.operations import Operations


class Parts:
    """Something that calls operations.

    Args:
        operations: Who does the verbs.
    """

    __slots__ = ("_operations",)

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    @property
    def operations(self) -> Operations:
        """The verbs as the product has them: requests in, values out."""
        return self._operations
