"""The operator is killed before and after every write that it makes, and nothing is lost, doubled or unaccounted for.

`scenario` is what people ask for meanwhile, `arena` plays it once with at most one kill, `states` and `history` say
what has become of it, `comparison` what differs from the undisturbed play, and `sweep` goes through all points.
`python -m tests.bench crash` runs it.
"""
