"""Text to token ids and back: codec, exact bytes, chat templates. Knows no model."""
