"""justright designs neural networks that are just right in size, with the evidence."""
