"""Telling people: mail, webhook, chat (R38-R40).  Must not know Kubernetes' API nor decide who is owed what."""
