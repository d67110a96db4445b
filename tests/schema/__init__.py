"""Generate the custom resource definitions: hand-written sources plus the pod template of the pinned Kubernetes."""
