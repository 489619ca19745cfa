# The node of deploy/compose. Change it and it is read again by itself.
/ip pool
add name=subscribers ranges=10.77.0.2-10.77.255.254
/ppp profile
set default-encryption local-address=10.77.0.1 remote-address=subscribers
/radius
add service=ppp address=127.0.0.1 secret=testing123
/radius incoming
set accept=yes
/ppp aaa
set use-radius=yes interim-update=5m
/system cluster
set redis=redis://127.0.0.1:6379
/interface pptp-server server
set enabled=yes
