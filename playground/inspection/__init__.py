"""What can be seen of a model at work: the next token, attention, the logit lens, the cache. Knows no page."""
