# What all nodes have in common. Read again by itself when the ConfigMap changes.
/ip pool
add name=subscribers ranges=10.77.0.2-10.77.255.254
/ppp profile
set default-encryption local-address=10.77.0.1 remote-address=subscribers
/ppp aaa
set use-radius=yes
/radius incoming
set accept=yes
# For Prometheus, which is on other machines. The host's packet filter keeps subscribers from it: deploy/host/pptp.nft.
/system metrics
set address=0.0.0.0
/interface pptp-server server
set enabled=yes
