"""Where sources are looked up, for real: a Git server and a registry of images, on loopback."""
