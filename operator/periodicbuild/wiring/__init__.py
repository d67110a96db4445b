"""The process: configuration, store, reconcile loop, kopf handlers, metrics and health."""
