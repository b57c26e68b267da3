"""Check what a data directory holds, by a quick look: its classifiers' newest files, API keys, and base models."""

from collections.abc import Iterator
from typing import Final

from windrow.domain.diagnosis import Check
from windrow.domain.errors import InvalidArtifact
from windrow.domain.figures import counted, listed
from windrow.encoders.inventory import Inventory
from windrow.service.dependencies import Store
from windrow.storage.revision import ClassifierState

# Each is a file to read; `fsck` reads all.
MAX_READ: Final = 500
_SHOWN: Final = 3


def check_contents(store: Store) -> Iterator[Check]:
    """Read the newest file of each classifier, of many only some, and the API keys.

    Args:
        store: The data directory.
    """
    names = store.names.classifiers.names()
    damaged: list[str] = []
    needed: dict[tuple[str, str], str] = {}
    read = names[:MAX_READ]
    store.names.classifiers.prefetch(read)
    for name in read:
        value = store.names.classifiers.newest(name).value
        if isinstance(value, InvalidArtifact):
            damaged.append(name)
        elif isinstance(value, ClassifierState):
            needed.setdefault((value.record.base_model, value.record.base_model_digest), name)
    of_all = f" of {len(names):,}" if len(read) < len(names) else ""
    looked = f"{counted(len(read), 'classifier')}{of_all}"
    if damaged:
        yield Check(
            "data",
            "failed",
            f"The newest file of {listed(damaged, _SHOWN)} cannot be read: it is damaged, or of a newer Windrow. Run "
            "`windrow fsck`, then restore it from a backup.",
        )
    else:
        yield Check("data", "ok", f"The newest file of {looked} can be read. `windrow fsck` reads everything.")
    known = store.keys.known()
    yield Check("keys", "ok", "Requests need one." if known.number else "There is none, so requests need none.")
    yield from check_base_models(store.inventory, needed)


def check_base_models(inventory: Inventory, needed: dict[tuple[str, str], str]) -> Iterator[Check]:
    """Compute the digest of each base model on this machine, and compare it with what classifiers were trained on.

    Args:
        inventory: The base models on this machine.
        needed: Id and digest of each base model that is needed, with a classifier that needs it.
    """
    stored = inventory.stored_base_models()
    for each in stored:
        if each.problem is not None:
            yield Check("base models", "warning", f"{each.id} cannot be used: {each.problem}")
    digests = {each.id: each.digest for each in stored}
    missing = {key: name for key, name in needed.items() if digests.get(key[0]) != key[1]}
    for (base_model, digest), name in missing.items():
        what = "is not on this machine" if base_model not in digests else "has other files here"
        yield Check(
            "base models",
            "failed",
            f"{base_model} with digest {digest:.12}…, on which {name} was trained, {what}. Bring back those files in "
            "base_models, or let the server download them; until then it cannot answer.",
        )
    if not missing:
        sound = ", ".join(f"{each.id} ({each.digest:.12}…)" for each in stored if each.problem is None)
        yield Check("base models", "ok", f"Their files are sound, and all that is needed is here: {sound or 'none'}.")
