"""Teaching a model on this machine: demonstrations and preference pairs, LoRA by peft, a loop that gives others their turn.

Must not know pages. What is taught is a copy of a model's weights loaded apart: the served ones are never touched.
"""
