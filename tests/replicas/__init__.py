"""Two replicas of the operator on one cluster, what is done to them, and what the API server's audit log says of it.

`pair` runs them, `wrong_clock` is one of another time, `history` judges.
"""
