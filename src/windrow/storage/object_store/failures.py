"""What a failed request to an object store means, and what a person is told of it.

A store's own message may hold signed addresses, ids of keys and whatever a proxy writes, so none of it is ever shown:
it is only searched for what is known here.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from windrow.domain.errors import DataDirectoryUnavailable, StorageFailed, StorageFull, StorageUncertain
from windrow.domain.store_url import StoreUrl

# Stores of which their makers or our own tests say that a conditional write holds between several writers.
SAFE_STORES: Final = (
    "Amazon S3, Google Cloud Storage, Azure Blob Storage, Cloudflare R2, Ceph, MinIO, or SeaweedFS from 4.17 on"
)


class Outcome(Enum):
    """What is known once a request has failed."""

    ABSENT = auto()
    """There is no such object."""
    EXISTS = auto()
    """There is such an object, or somebody else stores it at this moment."""
    REFUSED = auto()
    """The store took nothing, and may take it later."""
    UNKNOWN = auto()
    """The store may have taken it, or may still take it."""
    FAILED = auto()
    """The store took nothing, and will not until something is mended."""


class Reason(Enum):
    """Why a request failed, as far as it helps who mends it."""

    UNREACHABLE = auto()
    SLOW = auto()
    BUSY = auto()
    FULL = auto()
    CERTIFICATE = auto()
    SETTINGS = auto()
    NO_BUCKET = auto()
    NO_STORE = auto()
    REGION = auto()
    CLOCK = auto()
    NO_CREDENTIALS = auto()
    CREDENTIALS = auto()
    FORBIDDEN = auto()
    UNSUPPORTED = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class StoreFailure:
    """A failed request.

    Args:
        outcome: What is known of its effect.
        reason: Why it failed.
        status: The status of the store's answer; 0 where there was none.
    """

    outcome: Outcome
    reason: Reason
    status: int = 0


# What is of use in a message of obstore. The store's answer comes behind it, so the first match is obstore's own.
_ANSWER: Final = "status code: "
_STATUS: Final = re.compile(f"{_ANSWER}([1-5][0-9]{{2}})")
# Of one object, in Azure's answer to a request for many, where obstore hands on no code.
_PART: Final = re.compile(r"Bulk delete request failed .*\(code: ([1-5][0-9]{2})\)")
_KIND: Final = re.compile(r"kind: ([A-Za-z]+)")
_CODE: Final = re.compile(r"<Code>([A-Za-z]{1,60})</Code>")
# Before any request to the store itself, credentials are asked for at addresses that only a machine in a cloud reaches.
_CREDENTIAL_SOURCES: Final = re.compile(
    r"token request|latest/api/token|latest/meta-data|//169\.254\.|//\[fd00:ec2::|//sts[.-]|"
    r"Missing (Access|Secret)|Account must be"
)
_SETTINGS: Final = re.compile(
    r"builder error|Config error|must be specified|Invalid Access Key|service account|credential error|request valid"
)
_ABSENT: Final = frozenset(("NoSuchKey", "BlobNotFound"))
_NO_BUCKET: Final = frozenset(("NoSuchBucket", "ContainerNotFound", "InvalidBucketName"))
_CREDENTIALS: Final = frozenset(
    (
        "AuthenticationFailed",
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSecurity",
        "InvalidToken",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
    )
)
_REGION: Final = frozenset(("AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "PermanentRedirect"))
_CLOCK: Final = frozenset(("RequestTimeTooSkewed", "RequestExpired"))
_FULL: Final = frozenset(("XMinioStorageFull", "QuotaExceeded", "InsufficientStorage"))
_BY_CODE: Final = (
    (_NO_BUCKET, Reason.NO_BUCKET),
    (_CREDENTIALS, Reason.CREDENTIALS),
    (_REGION, Reason.REGION),
    (_CLOCK, Reason.CLOCK),
    (_FULL, Reason.FULL),
)
_BY_STATUS: Final = {
    401: Reason.CREDENTIALS,
    403: Reason.FORBIDDEN,
    404: Reason.NO_STORE,
    405: Reason.UNSUPPORTED,
    501: Reason.UNSUPPORTED,
    507: Reason.FULL,
}
_AGAIN: Final = {
    408: Outcome.UNKNOWN,
    # To a create, most say so while another one is under way, and some where there is an object already.
    409: Outcome.EXISTS,
    412: Outcome.EXISTS,
    425: Outcome.REFUSED,
    429: Outcome.REFUSED,
}

# By reason: facts["problem"], what happened, and what to do.
_TOLD: Final = {
    Reason.UNREACHABLE: (
        "missing",
        "No connection to the object store of {store} can be made.",
        "Check that it runs and that this machine reaches it, and check {endpoint}",
    ),
    Reason.SLOW: (
        "stalled",
        "The object store of {store} does not answer, or breaks off its answers.",
        "Check that it works, and the network to it",
    ),
    Reason.BUSY: (
        "stalled",
        "The object store of {store} does not do what it is asked for (HTTP status {status}).",
        "Check whether it works, and whether it is too busy",
    ),
    Reason.CERTIFICATE: (
        "unreadable",
        "The certificate of the object store of {store} is not trusted here.",
        "Check {endpoint}, or add the certificate's authority to those that this machine trusts",
    ),
    Reason.SETTINGS: (
        "unreadable",
        "What the environment says of the object store of {store} is not valid.",
        "Check {endpoint} as well as {credentials}, and set {allow_http}=true if it is to be reached without TLS",
    ),
    Reason.NO_BUCKET: (
        "missing",
        "There is no {bucket} in the object store of {store}.",
        "Make it, or correct the address and {endpoint}",
    ),
    Reason.NO_STORE: (
        "unreadable",
        "What answers for {store} is no object store that Windrow knows (HTTP status {status}).",
        "Check {endpoint}, and whether a proxy is in between",
    ),
    Reason.REGION: (
        "unreadable",
        "The bucket of {store} is in another region, or at another address.",
        "Set {endpoint} to those of the bucket",
    ),
    Reason.CLOCK: (
        "unreadable",
        "The object store of {store} refuses requests, since its clock and the one of this machine differ too much.",
        "Set the clock",
    ),
    Reason.NO_CREDENTIALS: (
        "unreadable",
        "No credentials for the object store of {store} were found.",
        "Set {credentials}",
    ),
    Reason.CREDENTIALS: (
        "unreadable",
        "The object store of {store} does not know the credentials.",
        "Correct {credentials}",
    ),
    Reason.FORBIDDEN: (
        "unreadable",
        "The object store of {store} does not let these credentials {verb} {file}.",
        "Let them read, write, list and remove objects there, or set others in {credentials}",
    ),
    Reason.UNSUPPORTED: (
        "unreadable",
        "The object store of {store} cannot {verb} {file} as Windrow needs it (HTTP status {status}).",
        f"Use one that has conditional writes: {SAFE_STORES}",
    ),
    Reason.OTHER: (
        "unreadable",
        "The object store of {store} refused to {verb} {file} (HTTP status {status}).",
        "Look into the store's log for the reason",
    ),
}
_READ_ONLY: Final = (
    "The object store of {store} does not let these credentials {verb} {file}: they may be read-only there. Let them "
    "read, write, list and remove objects there, or set others in {credentials}; then try again."
)
_UNTIL_THEN: Final = "until then, classifiers that are loaded go on answering, and nothing is changed."
_VERBS: Final = {"create": "store", "put": "store", "get": "read", "list": "list", "remove": "remove"}
_WRITES: Final = frozenset(("create", "put", "remove"))
_NEED_ROOM: Final = frozenset(("create", "put"))
# Of one object, while others may be written; what these say of a read is true of the whole directory.
_OF_ONE_OBJECT: Final = frozenset((Reason.FORBIDDEN, Reason.UNSUPPORTED, Reason.OTHER))
_VARIABLES: Final = {
    "s3": {
        "bucket": "bucket {name}",
        "endpoint": "AWS_REGION and AWS_ENDPOINT_URL",
        "credentials": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        "allow_http": "AWS_ALLOW_HTTP",
    },
    "gs": {
        "bucket": "bucket {name}",
        "endpoint": "GOOGLE_BASE_URL",
        "credentials": "GOOGLE_APPLICATION_CREDENTIALS",
        "allow_http": "GOOGLE_ALLOW_HTTP",
    },
    "az": {
        "bucket": "container {name}",
        "endpoint": "AZURE_STORAGE_ENDPOINT",
        "credentials": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
        "allow_http": "AZURE_ALLOW_HTTP",
    },
}


def failure_of(error: BaseException) -> StoreFailure:
    """Return what an error of obstore means.

    Args:
        error: What it raised; also a panic, which is no ``Exception``.
    """
    text = str(error)
    if _CREDENTIAL_SOURCES.search(text.partition(_ANSWER)[0]):
        return StoreFailure(Outcome.FAILED, Reason.NO_CREDENTIALS)
    if (status := _STATUS.search(text)) is not None:
        code = _CODE.search(text)
        return _answered(int(status[1]), code[1] if code else "")
    if (part := _PART.search(text)) is not None:
        return _answered(int(part[1]), "ContainerNotFound" if "container does not exist" in text else "BlobNotFound")
    if type(error).__name__ in ("AlreadyExistsError", "PreconditionError"):
        return StoreFailure(Outcome.EXISTS, Reason.BUSY)
    return _unanswered(text)


def error_of(failure: StoreFailure, url: StoreUrl, verb: str, key: str) -> StorageFailed | StorageFull:
    """Return the error for a request that failed for good.

    Args:
        failure: How it failed the last time.
        url: Where it went.
        verb: What it was to do: ``create``, ``put``, ``get``, ``list`` or ``remove``.
        key: The object, or the prefix of a listing.
    """
    variables = _VARIABLES[url.scheme]
    facts: dict[str, object] = {
        **variables,
        "bucket": variables["bucket"].format(name=url.bucket),
        "store": str(url),
        "verb": _VERBS[verb],
        "file": key,
        "status": failure.status,
    }
    reason = failure.reason
    if reason is Reason.FULL and verb in _NEED_ROOM:
        return StorageFull(
            "The object store of {store} is full; nothing that was there before is lost. Free some space or raise the "
            "quota, then try again.",
            facts,
        )
    problem, happened, advice = _TOLD[Reason.BUSY if reason is Reason.FULL else reason]
    if verb in _WRITES and reason in _OF_ONE_OBJECT:
        is_forbidden = reason is Reason.FORBIDDEN
        return StorageFailed(_READ_ONLY if is_forbidden else f"{happened} {advice}; then try again.", facts)
    return DataDirectoryUnavailable(f"{happened} {advice}; {_UNTIL_THEN}", {**facts, "problem": problem})


def uncertain(url: StoreUrl, key: str) -> StorageUncertain:
    """Return the error for an object that the store may have taken."""
    return StorageUncertain(
        "The object store of {store} did not say whether it took {file}, so that the change may hold. Look what is "
        "there before you repeat it.",
        {"store": str(url), "file": key},
    )


def _answered(status: int, code: str) -> StoreFailure:
    """Return what an answer of the store means.

    Args:
        status: Its status.
        code: What the store calls the error; empty where it does not say.
    """
    if status == 404 and code in _ABSENT:  # and no other one: a proxy's 404 says nothing of an object
        return StoreFailure(Outcome.ABSENT, Reason.NO_STORE, status)
    reason = next((reason for codes, reason in _BY_CODE if code in codes), _BY_STATUS.get(status))
    if reason is not None:
        return StoreFailure(Outcome.FAILED, reason, status)
    if status in _AGAIN:
        return StoreFailure(_AGAIN[status], Reason.BUSY, status)
    if status >= 500:  # a balancer may say so of a request that the store goes on with
        return StoreFailure(Outcome.UNKNOWN, Reason.BUSY, status)
    return StoreFailure(Outcome.FAILED, Reason.REGION if status < 400 else Reason.OTHER, status)


def _unanswered(text: str) -> StoreFailure:
    """Return what a message of obstore means where the store has given no answer, or none that obstore understands."""
    if "redirect without LOCATION" in text:  # how S3 answers in another region than the bucket's
        return StoreFailure(Outcome.FAILED, Reason.REGION)
    if _SETTINGS.search(text):
        return StoreFailure(Outcome.FAILED, Reason.SETTINGS)
    kind = _KIND.search(text)
    if kind is not None and kind[1] == "Connect":  # no byte of the request was sent
        return StoreFailure(Outcome.REFUSED, Reason.CERTIFICATE if "certificate" in text else Reason.UNREACHABLE)
    return StoreFailure(Outcome.UNKNOWN, Reason.SLOW)
