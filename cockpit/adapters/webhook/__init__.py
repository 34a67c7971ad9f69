"""Messages to a channel, through webhooks."""
