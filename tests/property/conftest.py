"""The same examples in every run, so that a red run is about the change; a hunt for new ones is asked for by name."""

from __future__ import annotations

import os

from hypothesis import settings

EXAMPLES = "PERIODICBUILD_PROPERTY_EXAMPLES"
"""Histories to try, each time others; without it the number and the histories are fixed."""

settings.register_profile("fixed", derandomize=True)
settings.register_profile("hunt", max_examples=int(os.environ.get(EXAMPLES, "100")), print_blob=True)
settings.load_profile("hunt" if EXAMPLES in os.environ else "fixed")
