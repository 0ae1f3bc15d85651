"""transformers, in process: forward passes, caches of every layer kind, attention, hidden states, CPU packing.

The only folder of the engine that imports torch.
"""
