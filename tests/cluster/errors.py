"""The one error of the local cluster: a sentence for the person at the keyboard."""

from __future__ import annotations


class ClusterError(Exception):
    """Say in one or two sentences what is wrong and what helps; the command line prints it without a traceback."""


class LevelUnavailableError(ClusterError):
    """This machine cannot have the level that was asked for; the sentence says what is missing and what works."""
