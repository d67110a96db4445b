"""Rebuild servers and artifacts from scratch at intervals, and account for every slot."""
