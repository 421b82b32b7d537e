"""The Link services, which the machine images contain. One process each, configured by environment variables:

router           the multi-tenant front: registry, monitor, allocation, tenants, peers, proxy, relay
target           one Zetta target: zetta, devices, registration, samples
tenant_mgmt      the tenant management API: overview, allocation
etcd_node        a member of core-services: etcd_group, etcd_cluster
etcd_peers       prints where core-services is

They share environment, logs and service, the client etcd (etcd_members), and the records that stand in etcd.
"""
