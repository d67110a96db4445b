"""The Kubernetes API: session, errors, watches, parsing, rendering and writing."""
