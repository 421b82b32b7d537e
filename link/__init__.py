"""The Link services, which the machine images contain. One process each, configured by environment variables:

router           the multi-tenant front, with the parts in routing and tenancy
target           one Zetta target, with the parts in zetta
tenant_mgmt      the tenant management API, with the parts in tenancy
data_worker      empties a queue into S3, with the parts in workers
worker_machine   a data worker whose machine ends when its work is done
etcd_node        a member of core-services, with the parts in cluster
etcd_peers       prints where core-services is

They share environment, logs, service and its sockets, the client etcd, and the records that stand in etcd.
"""
