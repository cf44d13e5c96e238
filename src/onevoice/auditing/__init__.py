"""The afternoon proof: a year of events and a contact log of other tools, judged by rules and told on one page."""
