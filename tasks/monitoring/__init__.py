"""Metrics stacks: what they are made of, their InfluxDB, who may use it, its backups.

stacks       the CloudFormation stacks: of a metrics stack, and of each attachment of a Link stack to it
storage      what outlives them: the volume with the data, the bucket with the backups
machine      the one machine of a metrics stack: replaced when its image is another, awaited
databases    databases, retention policies and continuous queries
users        who may do what, each with a secret
keeper       backups and restores
access       how a Link stack writes its metrics, and how they are read
annotations  what was deployed when, written next to the metrics
dashboards   Grafana's dashboards, as data
readings     their queries' answers
charts       pictures of both
reports      all pictures of a stack, and where they go
"""
