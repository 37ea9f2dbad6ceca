"""What a worker does for the dock widget: neither Qt nor layers."""
