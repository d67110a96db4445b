"""What a change may cost, checked in every run of the tests: a short form of the measurements, as ratios and counts."""
