"""Asking the room: guess the next word, which answer is better, set the temperature.

Frozen data and rules; ``hub.py`` is the question on stage, in front of the store. Who may ask is told by whoever makes the hub.
"""
