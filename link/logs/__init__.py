"""What the machine's log shipper consists of."""
