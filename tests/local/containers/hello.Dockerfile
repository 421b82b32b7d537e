# The second layer hides a file of the first, which overlay2 remembers with a device file.
FROM hello:1
RUN ["/bin/busybox", "rm", "/etc/debian_version"]
CMD ["/bin/busybox", "ls", "/etc"]
