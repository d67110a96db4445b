"""What the operator costs: measured on a real API server, printed, and published in docs/figures.json."""
