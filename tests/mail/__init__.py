"""Mail servers for tests: one that misbehaves as it is told, one that follows a script line by line, and a real one."""
