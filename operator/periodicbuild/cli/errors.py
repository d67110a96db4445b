"""Why a command ends other than well: one sentence on stderr, and an exit code for scripts.

    OperatorError               never raised itself; what is not listed here, as CredentialsError: exit code 3
      KubeError                 the API server refuses or does not answer: exit code 3
      CliError                  never raised itself
        AnswerIsNoError         the cluster was asked, and the answer is no: exit code 1
        BadInputError           the command line cannot be understood: exit code 2

The one idea a newcomer would miss: a KubeError gets its sentence here and at the very end, so that a command which
knows better what it means (`run` waits on, an object that is missing has near names) can still catch it.
"""

from __future__ import annotations

from enum import IntEnum
from http import HTTPStatus
from typing import Final

from periodicbuild.kube.errors import NO_ANSWER, ForbiddenError, KubeError, NotFoundError, OperatorError


class ExitCode(IntEnum):
    """What the program ends with; `EXIT_CODES` says it to people."""

    FINE = 0
    NO = 1
    BAD_INPUT = 2
    CLUSTER = 3
    INTERRUPTED = 130


EXIT_CODES: Final = {
    ExitCode.FINE: "fine",
    ExitCode.NO: "the answer is no: it failed, does not add up, or does not exist",
    ExitCode.BAD_INPUT: "the command line cannot be understood",
    ExitCode.CLUSTER: "the cluster cannot be reached, or refuses",
    ExitCode.INTERRUPTED: "interrupted",
}

UNKNOWN_KINDS: Final = "this cluster does not know PeriodicBuilds: kubectl apply -f crds/"
"""What the operator says, too."""

NO_SUCH_PATH: Final = "404 page not found"
"""How an API server answers for a path that nobody has registered."""


class CliError(OperatorError):
    """Be the root of what commands raise; never raised itself."""

    exit_code: ExitCode


class AnswerIsNoError(CliError):
    """The question was understood and answered: no."""

    exit_code = ExitCode.NO


class BadInputError(CliError):
    """What was typed cannot be meant."""

    exit_code = ExitCode.BAD_INPUT


def exit_code_of(error: OperatorError) -> ExitCode:
    """Give the exit code of anything that is raised on purpose."""
    return error.exit_code if isinstance(error, CliError) else ExitCode.CLUSTER


def sentence_of(error: OperatorError) -> str:
    """Say what is wrong, with which value, and what helps."""
    if not isinstance(error, KubeError):
        return str(error)
    if error.status == NO_ANSWER:
        return f"{error.message}: is the cluster up, and is it the one that was meant (--context, --kubeconfig)?"
    if error.status == HTTPStatus.UNAUTHORIZED:
        return f"the API server does not accept these credentials (401, {error.ref}): log in to the cluster again"
    if is_kind_unknown(error):
        return UNKNOWN_KINDS
    if isinstance(error, ForbiddenError):
        right = f"{error.verb} {error.ref.partition(' ')[0]}"
        return f"not allowed: {error.message or error.ref}; ask whoever runs the cluster for the right to {right}"
    return f"the API server refuses to {error.verb} {error.ref} ({error.status} {error.reason}): {error.message}"


def is_kind_unknown(error: KubeError) -> bool:
    """Tell a kind that is not served from an object that is not there: only the latter is answered by a Status."""
    return isinstance(error, NotFoundError) and NO_SUCH_PATH in error.message
