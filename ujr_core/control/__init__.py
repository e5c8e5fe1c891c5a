"""The control socket: how a person's command reaches a runner that runs."""
