"""What can be loaded and how: catalogue, bundled weights, hub ids and local folders, device, dtype and placement."""
