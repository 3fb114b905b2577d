"""From a file or frame to encoded rows: reading, kinds, audit, splits, preprocessing."""
