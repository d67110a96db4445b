"""What an operator goes through when its API server is away, or refuses it, and how it bears it.

`credentials` makes log-ins that end, `patient` watches the operator meanwhile.
"""
