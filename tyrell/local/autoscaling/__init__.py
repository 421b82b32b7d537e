"""Amazon EC2 Auto Scaling for the embedded cloud: own records and API, acting on EC2 and ELBv2.

A round of the engine reads like this: `world` looks, `reconcile` decides, `act` carries out and writes down. The API
(`api/`) only changes wishes in the records (`groups`, `records`) and wakes the engine.
"""
