"""The process: configuration, store, reconcile loop, kopf, metrics and health."""
