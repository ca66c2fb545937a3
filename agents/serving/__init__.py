"""The learned agent of a service: its network, its files, and playing it request by request."""
