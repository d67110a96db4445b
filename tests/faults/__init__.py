"""A proxy that makes what can go wrong go wrong, between any controller and a real API server.

    python -m tests.faults --kubeconfig FILE --script FILE [-- COMMAND ...]

`effects` is what can go wrong, `script` says when, `proxy` does it to requests and `watches` to what a watch tells.
docs/fault-proxy.md is its manual.
"""
