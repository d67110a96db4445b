"""The decisions: pure functions of facts, settings and an instant.  No I/O, no clock, no logging."""
