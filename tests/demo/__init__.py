"""`make demo`: a newcomer watches the main job on a real cluster for two minutes.

    python -m tests.demo [--keep]

`scene` sets up cluster, operator and examples, `observation` reads what the cluster shows, `view` and `closing` make it
visible, and `story` is what happens when. The one idea: nothing is staged. What is shown is what the API server says,
once a second, and a person could do the same with kubectl.
"""
