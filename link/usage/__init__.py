"""The parts of the usage API: the period that is asked for, InfluxDB, and the report in its forms."""
