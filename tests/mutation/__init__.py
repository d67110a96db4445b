"""Would a test notice?  The core is changed in thousands of small ways, and its own tests are run against each.

`python -m tests.bench mutation` does it with mutmut and publishes the share that the tests notice.  A change that none
of them notices is a survivor; `survivors.toml` says of each why it may live.
"""
