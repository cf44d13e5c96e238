"""What a company decided, as text in a folder: its model, its loader, its checks."""
