"""The "Plan" pages: what a model takes, what it costs to train and to serve, what the scaling laws say."""
