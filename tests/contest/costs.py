"""What a contestant and the servers cost, as the kernel counts it."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.bench.process import cpu_seconds, forget_peak, peak_mb


@dataclass(slots=True)
class Meter:
    """CPU time and largest memory between `begin` and `end`, also of several processes that follow each other."""

    cpu_seconds: float = 0.0
    peak_mb: float = 0.0
    _pid: int = field(default=0, init=False)
    _used_before: float = field(default=0.0, init=False)

    def begin(self, pid: int) -> None:
        """Count from now on; what it used before does not count, nor its largest memory so far."""
        self._pid, self._used_before = pid, cpu_seconds(pid)
        forget_peak(pid)

    def end(self) -> None:
        """Count until now."""
        self.cpu_seconds += cpu_seconds(self._pid) - self._used_before
        self.peak_mb = max(self.peak_mb, peak_mb(self._pid))
