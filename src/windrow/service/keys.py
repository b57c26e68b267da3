"""Creates, lists, limits and revokes API keys."""

from windrow.domain.access import (
    ApiKey,
    CreatedKey,
    CreateKeyRequest,
    KeyList,
    KeyRequest,
    KeyRevocation,
    LimitedKey,
    check_create_key,
)
from windrow.domain.caller import current_caller
from windrow.domain.key_limits import LimitKeyRequest, check_limit_key
from windrow.domain.values import recast
from windrow.service.dependencies import Dependencies


def create_key(deps: Dependencies, request: CreateKeyRequest) -> CreatedKey:
    """Create an API key. See ``Operations.create_key``."""
    check_create_key(request)
    created = deps.store.keys.create(request, current_caller().key_name)
    deps.keys.update()
    return created


def list_keys(deps: Dependencies) -> KeyList:
    """Return every API key. See ``Operations.list_keys``."""
    return KeyList(tuple(recast(ApiKey, each) for each in deps.store.keys.known().keys))


def limit_key(deps: Dependencies, request: LimitKeyRequest) -> LimitedKey:
    """Set the limits of an API key. See ``Operations.limit_key``."""
    check_limit_key(request)
    limited = deps.store.keys.limit(request)
    deps.keys.update()
    return recast(LimitedKey, limited)


def revoke_key(deps: Dependencies, request: KeyRequest) -> KeyRevocation:
    """Revoke an API key. See ``Operations.revoke_key``."""
    revoked = deps.store.keys.revoke(request.name)
    deps.keys.update()
    return recast(KeyRevocation, revoked)
