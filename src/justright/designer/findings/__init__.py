"""What the study tells of its data and its network, beside the network itself."""
