"""What the dock widget knows, without Qt: plain data that tells when it changes."""
