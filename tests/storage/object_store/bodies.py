"""What transactions of the tests do: rules that hold only if nothing comes between the look and the commit."""

from tests.storage.object_store.ledger import Body, Noting, Refused

KINDS = ("classifiers", "aliases")


def give(kind: str, name: str) -> Body:
    """Give a name to a classifier or an alias, unless the other kind has it; or append to what has it."""

    def body(files: Noting) -> None:
        (other,) = set(KINDS) - {kind}
        if files.list(f"{other}/{name}"):
            raise Refused
        number = max((int(each) for each in files.list(f"{kind}/{name}")), default=0) + 1
        if number > 1:
            files.get(f"{kind}/{name}/{number - 1:06d}")
        files.put(f"{kind}/{name}/{number:06d}", f"{kind} {name} {number}".encode())

    return body


def purge(kind: str, name: str) -> Body:
    """Remove the oldest number of a name, and put one more that says so; or the name, where it has but two."""

    def body(files: Noting) -> None:
        numbers = files.list(f"{kind}/{name}")
        if not numbers:
            raise Refused
        oldest, newest = numbers[0], int(numbers[-1])
        for number in numbers if len(numbers) > 2 else [oldest]:
            files.get(f"{kind}/{name}/{number}")
        for number in [oldest] if len(numbers) > 2 else numbers:
            files.remove(f"{kind}/{name}/{number}")
        if len(numbers) > 2:
            files.put(f"{kind}/{name}/{newest + 1:06d}", f"without {oldest}".encode())

    return body


def count(own: str, other: str) -> Body:
    """Raise a counter in place, unless it is ahead of the other one: write skew would let both run ahead."""

    def body(files: Noting) -> None:
        counted = int(files.get(f"counters/{own}") or b"0")
        if counted > int(files.get(f"counters/{other}") or b"0"):
            raise Refused
        files.remove(f"counters/{own}")
        files.put(f"counters/{own}", str(counted + 1).encode())

    return body
