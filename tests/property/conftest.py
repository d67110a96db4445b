"""The same examples in every run, so that a red run is about the change; a hunt for new ones is asked for by name.

No example has a deadline: how long one takes says what else the machine does, not whether the law holds.
"""

from __future__ import annotations

import os

from hypothesis import settings

EXAMPLES = "PERIODICBUILD_PROPERTY_EXAMPLES"
"""Histories to try, each time others; without it the number and the histories are fixed."""

settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("hunt", max_examples=int(os.environ.get(EXAMPLES, "100")), print_blob=True, deadline=None)
settings.load_profile("hunt" if EXAMPLES in os.environ else "fixed")
