"""Labels from and to files, and sample images."""
