"""EC2 instances of the embedded cloud; as groups of local processes, unless a driver makes them of something else.

A machine owns the private IP address its instance was given: the VPC lies in the loopback range, where Linux lets
anybody bind any address. What runs on it comes from its AMI and its user data alone, read through the AWS API.

    ec2_api.py     the EC2 operations that differ from moto's       records.py      an instance's state in moto's books
    engine.py      Machines: orders in, states out                  images.py       AMIs: files in, an image id out
    driver.py      the seam: what a kind of machine has to do       process_driver.py   the kind described above
    machine.py     one machine: boot, failure, shutdown             metadata.py     what a machine learns about itself
    cloud_init.py  user data, read      first_boot.py  user data, carried out
    volumes_api.py  EC2's volumes       devices.py     where their data is, and how a machine gets at it
    units.py  command_line.py           systemd's unit files, read
    supervisor.py  service.py           systemd's unit files, carried out
    system.py      root folder, environment and console of a machine, where its programs start
    processes.py   child processes that outlive nobody              ports.py        who else listens
"""
