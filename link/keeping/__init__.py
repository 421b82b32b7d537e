"""How the data of a metrics stack are backed up and restored: the archive, what it is checked for, the work itself."""
