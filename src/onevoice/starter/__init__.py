"""Playbooks to begin with: three that run, each with a week of events, written to be read and changed."""
