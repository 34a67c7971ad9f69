"""What PM2 says of its processes."""
