"""What the doctor looks at: a module each, with one function `check`, and `chain.py`, which lists them in order."""
