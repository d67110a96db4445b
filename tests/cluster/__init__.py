"""A real Kubernetes on a bare machine, for tests, for the demo and for trying things out.

    python -m tests.cluster up --level control-plane
    export KUBECONFIG=$(python -m tests.cluster kubeconfig)

It knows nothing of the operator. The one idea: a cluster is a state folder. Every process carries its path as a mark,
every file, socket and mount lies in it, the names of network devices are derived from it; so ending a cluster needs
no memory of how it was started.
"""
