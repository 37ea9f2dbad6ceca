"""What the dock widget shows."""
