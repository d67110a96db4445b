"""The one way out: bodies of the objects and patches that the operator sends, as bytes.

Must not send anything, and must not decide: what is in a plan is written down, word for word.  The work is done in the
modules beside this one.
"""

from __future__ import annotations

from periodicbuild.kube.render_app_server import render_adoption, render_app_server, render_cancellation
from periodicbuild.kube.render_pod import render_dry_run_pod, render_pod
from periodicbuild.kube.render_status import (
    render_app_server_status_patch,
    render_build_status_patch,
    render_gate_status_patch,
)

__all__ = [
    "render_adoption",
    "render_app_server",
    "render_app_server_status_patch",
    "render_build_status_patch",
    "render_cancellation",
    "render_dry_run_pod",
    "render_gate_status_patch",
    "render_pod",
]
