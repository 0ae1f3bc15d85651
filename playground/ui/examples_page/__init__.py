"""The sections of the page Examples: completion or conversation, demonstrations, training, what moved."""
