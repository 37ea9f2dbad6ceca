"""The only part of the dock widget that talks to the viewer."""
