"""What loads and runs models. It may import torch, and never Django."""
