"""What the end-to-end tests stand on: the processes they start and the sockets they speak through."""
