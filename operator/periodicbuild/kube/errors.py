"""The exceptions of this program's boundaries, sorted by what the caller does next.

    OperatorError                 never raised itself
      CredentialsError            no way to log in: the process ends
      UnknownKindError            our CRDs are not installed: the process ends
      NotLeaderError              this replica does not hold the lease: drop the work, the leader does it
      WriterClosedError           the process is going down: drop the work, the next one does it
      KubeError                   the API said no, and none of the classes below fits: back off, log
        AlreadyExistsError        409 on create -> the owner's uid decides: ours, or a name collision
        ConflictError             409 -> look again in 1 s
        NotFoundError             404 -> the object, or its namespace, is gone
        ForbiddenError            403 -> quota, dying namespace, policy or our own RBAC: ask its properties
        InvalidError              400, 413, 422 -> the same bytes will be refused again: do not retry
        GoneError                 410 -> list again
        TransientKubeError        401, 429, 5xx, time-outs, no connection -> back off, honouring `retry_after`

Must not know HTTP: `answers.py` turns an answer into one of these.

The one idea a newcomer would miss: an answer may be lost after the write was made.  A TransientKubeError therefore
never means "not done"; only names and resourceVersions tell (design 2.4).
"""

from __future__ import annotations

from dataclasses import dataclass

NO_ANSWER = 0
"""The status of a request that got no answer: nobody listening, connection lost, or out of time."""

QUOTA_MARKS = ("exceeded quota: ", "status unknown for quota: ")
"""How the ResourceQuota plug-in begins a refusal that goes away by itself: full, or new and not yet counted.

It gives no cause, so the message is all there is (1.37: apiserver/pkg/admission/plugin/resourcequota).
A third one, `failed quota: ...: must specify limits.cpu`, is not among them: it stays until the template changes.
"""


class OperatorError(Exception):
    """Be the root of everything this program raises on purpose; never raised itself."""


class CredentialsError(OperatorError):
    """No usable server address or identity was found; the process cannot start."""


class UnknownKindError(OperatorError):
    """The API server does not serve our kinds; the process cannot start."""


class NotLeaderError(OperatorError):
    """A write was due on a replica that does not hold the lease; it was not sent."""


class WriterClosedError(OperatorError):
    """A write was due while the process shuts down; see its message for whether it was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One entry of a Status's `details.causes`."""

    reason: str = ""
    """CamelCase, for example FieldValueInvalid or NamespaceTerminating."""

    field: str = ""
    """The path of the field at fault, if it is one field."""

    message: str = ""
    """The server's own words."""


@dataclass(kw_only=True, eq=False)
class KubeError(OperatorError):
    """The API answered no, or did not answer."""

    verb: str
    """As in RBAC: create, patch, list ..."""

    ref: str
    """What it was done to, for example `pods team-a/nightly-1`."""

    status: int
    """The HTTP status; NO_ANSWER if there was none."""

    reason: str = ""
    """The server's CamelCase reason, for example AlreadyExists."""

    message: str = ""
    """The server's own words."""

    causes: tuple[Cause, ...] = ()
    """In the server's order; mostly empty."""

    details_kind: str = ""
    """The resource that the answer is about: `namespaces` if it is the namespace that is missing."""

    retry_after: float | None = None
    """Seconds the server asked to wait; None if it did not."""

    def __str__(self) -> str:
        """Say who was asked to do what, and the answer, in one line."""
        answer = f"{self.status} {self.reason}".strip() if self.status else "no answer"
        return f"cannot {self.verb} {self.ref}: {answer}: {self.message}"

    def has_cause(self, reason: str) -> bool:
        """Tell whether the server gave this cause."""
        return any(cause.reason == reason for cause in self.causes)


class AlreadyExistsError(KubeError):
    """An object of this name is there already."""


class ConflictError(KubeError):
    """The object has changed since it was read, or a quota was being counted at the same moment."""


class NotFoundError(KubeError):
    """The object is not there, or its namespace is not."""

    @property
    def is_namespace_missing(self) -> bool:
        """Tell whether it is the namespace that is gone, and not only the object."""
        return self.details_kind == "namespaces"


class ForbiddenError(KubeError):
    """Refused by a quota, a dying namespace, an admission policy, or because of our own permissions."""

    @property
    def is_quota_exceeded(self) -> bool:
        """Tell whether a ResourceQuota is full (or not counted yet), so that later may work (R19)."""
        return any(mark in self.message for mark in QUOTA_MARKS)

    @property
    def is_service_account_missing(self) -> bool:
        """Tell whether the pod's service account is not there (yet: a new namespace gets its own after a second)."""
        return "error looking up service account" in self.message

    @property
    def is_namespace_terminating(self) -> bool:
        """Tell whether the namespace is being deleted: final, and nobody's fault (R43)."""
        return self.has_cause("NamespaceTerminating")


class InvalidError(KubeError):
    """The server refuses these very bytes; only different ones can succeed."""


class GoneError(KubeError):
    """The resourceVersion or continue token is older than the server's memory."""


class TransientKubeError(KubeError):
    """Nothing is known about the request but that it may work later; it may have been carried out."""

    @property
    def is_version_from_the_future(self) -> bool:
        """Tell whether our resourceVersion is newer than the server's: etcd was restored, so list again."""
        return self.has_cause("ResourceVersionTooLarge")
