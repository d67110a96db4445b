"""The documentation as a site, and the README followed word by word."""
