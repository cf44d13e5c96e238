"""The demo's data: a grocer's year as one file of events, and the playbook of `examples/grocer` to replay it with."""
