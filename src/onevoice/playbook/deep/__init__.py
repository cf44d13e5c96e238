"""What a playbook proves to be dead: campaigns that can never fire, go out or win, whatever customers do."""
