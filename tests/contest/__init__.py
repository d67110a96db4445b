"""The contest: this operator and the CronJob controller of Kubernetes, in turn, on the same API server."""
