"""What the user asked for, and the folder it ends in."""
