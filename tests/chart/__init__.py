"""The chart: what it renders, what it refuses, and how it fares in a cluster, with Helm 4 and Helm 3."""
