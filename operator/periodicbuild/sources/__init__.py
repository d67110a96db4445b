"""What builds are made from, outside the cluster: repositories and images, and at which revision they are now."""
