"""The shell: opens the parts, joins them, and does all input and output around the pure core."""
