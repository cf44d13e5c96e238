"""Why a campaign did not go out: a customer is decided alone once more, with one thing changed after the other."""
