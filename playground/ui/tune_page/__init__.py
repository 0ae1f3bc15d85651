"""The sections of the page Tune: examples, what settings allow, a plan, its results, judging, search, decision."""
