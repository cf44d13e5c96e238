"""Files of somebody else's form: a mapping says how their lines become events; what cannot be used is kept aside."""
