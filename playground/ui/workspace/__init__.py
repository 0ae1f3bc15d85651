"""What several pages share: the prompt, the samplers, the model and the texts it reads."""
