"""Servers of somebody else, whatever is asked of them."""
