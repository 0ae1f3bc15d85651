"""Engines that are servers: llama.cpp, and any with OpenAI's interface. Nothing an answer says is trusted."""
