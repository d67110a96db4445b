"""The kubectl plug-in: `kubectl periodicbuild COMMAND`.

Must not know how the operator decides or runs: it reads what is stored, and asks through the API as any person could.
"""
