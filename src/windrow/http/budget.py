"""How many bytes of bodies the server holds at the same time, over all requests."""

from dataclasses import dataclass
from typing import Final, Self

from windrow.domain.errors import Overloaded

# So much of each body is taken in any case, so that few large ones do not keep many small ones out.
FREE_BYTES: Final = 65_536
RETRY_AFTER_S: Final = 2


@dataclass(slots=True)
class Budget:
    """Bytes that may be held at the same time. For the event loop alone.

    Args:
        max_bytes: How many.
        setting: The variable that sets it.
        held_bytes: How many are held now.
    """

    max_bytes: int
    setting: str
    held_bytes: int = 0

    def reserve(self) -> "Reservation":
        """Take some of the budget inside a ``with`` block; at its end all of that is given back."""
        return Reservation(self)


@dataclass(slots=True)
class Reservation:
    """What one request takes of a budget.

    Args:
        budget: The budget.
        taken_bytes: How much it has.
    """

    budget: Budget
    taken_bytes: int = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.budget.held_bytes -= self.taken_bytes

    def take(self, size_bytes: int) -> None:
        """Take more.

        Raises:
            Overloaded: There is no room for it now.
        """
        self.taken_bytes += size_bytes
        self.budget.held_bytes += size_bytes
        if self.budget.held_bytes > self.budget.max_bytes and self.taken_bytes > FREE_BYTES:
            raise Overloaded(
                "The server is receiving or reading as many large bodies as it may. Try this one again in "
                "{retry_after_s} s, or raise {setting}.",
                {"retry_after_s": RETRY_AFTER_S, "limit": self.budget.max_bytes, "setting": self.budget.setting},
            )
