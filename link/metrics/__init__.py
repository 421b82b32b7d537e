"""The parts of the metrics agent: what it adds up and reads of its machine, and the way of that into InfluxDB."""
