"""The engine: embeds an image once, classifies it as often as wanted."""
