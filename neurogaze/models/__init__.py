"""Networks: plain `nn.Module`, shapes written as einops patterns, no Lightning."""
