"""The stages of the flow: opening, sanity, learning rate, size, noise, final training."""
