"""One module per command, called as the command is (`explain_interval` is `explain-interval`), with a `command` in it.

Adding a command is adding a module here; nothing else names it.
"""
