"""Reads the audit trail."""

from windrow.domain.audit import AuditRequest, AuditTrail, check_audit_request
from windrow.service.dependencies import Dependencies


def audit(deps: Dependencies, request: AuditRequest) -> AuditTrail:
    """Return a part of the audit trail. See ``Operations.audit``."""
    check_audit_request(request)
    deps.audit.flush()  # of this process; others write what they counted within a minute
    return deps.store.audit.read(request)
