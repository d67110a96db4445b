"""The short measurements: on one control plane, in about two minutes."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Final

from tests.bench.ground import running_operator
from tests.bench.herd import Herd
from tests.bench.process import resident_mb

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.bench.herd import Pair
    from tests.cluster.cluster import LocalCluster

COUNT: Final = 200
PAIRS: Final = 3


OF_A_PAIR: Final[Mapping[str, Callable[[Pair], float]]] = {
    "herd-seconds-over-bare-client": lambda pair: pair.ratio,
    "herd-cpu-over-bare-client": lambda pair: pair.operator.cpu_seconds / pair.bare.cpu_seconds,
    "herd-requests-per-run": lambda pair: pair.operator.requests / COUNT,
}
MEMORY: Final = "resident-mb"


class Ground:
    """One cluster, already warm."""

    IDS: Final = {*OF_A_PAIR, MEMORY}

    def __init__(self, cluster: LocalCluster) -> None:
        self._cluster = cluster
        self._herd = Herd(cluster, seconds_per_object=0.03)
        self._herd.pair(COUNT)
        self._warm_up = self._herd.namespaces[0]

    def measure(self) -> dict[str, float]:
        """Give one value for each budget."""
        pairs = [self._herd.pair(COUNT) for _ in range(PAIRS)]
        return {
            **{id_: median(map(of, pairs)) for id_, of in OF_A_PAIR.items()},
            MEMORY: self._resident_mb(),
        }

    def _resident_mb(self) -> float:
        """Give the memory of an operator that knows what the warm-up has left, and nothing that came later."""
        with running_operator(self._cluster, f"--namespace={self._warm_up}") as operator:
            return resident_mb(operator.pid)
