#!/bin/sh
# Three nodes of one service with Redis, and a client of each, in network namespaces on this machine; shows the sessions of all.
#   deploy/three-nodes.sh           stops everything at Enter
#   deploy/three-nodes.sh --once    shows it and stops
# Needs root. Everything that it starts is in its namespaces, and ends with them.
set -eu
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || { echo "three-nodes: network namespaces need root" >&2; exit 1; }
deploy/prepare.sh test

name="three-$$"
work=$(mktemp -d)
all="core node1 node2 node3 client"

finish() {
  for role in $all; do
    for pid in $(ip netns pids "$name-$role" 2>/dev/null); do kill -KILL "$pid" 2>/dev/null || :; done
    ip netns delete "$name-$role" 2>/dev/null || :
  done
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM

in_namespace() { within=$1; shift; ip netns exec "$name-$within" "$@"; }

# Each on a cable of its own to the core, which forwards and has Redis.
subnet=0
for role in $all; do
  ip netns add "$name-$role"
  in_namespace "$role" ip link set lo up
  if [ "$role" = core ]; then in_namespace core sysctl -qw net.ipv4.ip_forward=1; continue; fi
  subnet=$((subnet + 1))
  ip link add "c$subnet" netns "$name-$role" type veth peer name "c$subnet" netns "$name-core"
  in_namespace "$role" ip address add "10.211.$subnet.1/24" dev "c$subnet"
  in_namespace "$role" ip link set "c$subnet" up
  in_namespace core ip address add "10.211.$subnet.254/24" dev "c$subnet"
  in_namespace core ip link set "c$subnet" up
  in_namespace "$role" ip route add default via "10.211.$subnet.254"
done
in_namespace core redis-server --bind 10.211.4.254 --protected-mode no --save '' --appendonly no >"$work/redis.log" &

# `until_says FILE TEXT`: waits for a line of a log.
until_says() {
  tries=0
  until grep -q "$2" "$1" 2>/dev/null; do
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || { echo "three-nodes: waited in vain for '$2'" >&2; tail -5 "$1" >&2; exit 1; }
    sleep 0.1
  done
}
until_says "$work/redis.log" 'Ready to accept'

# `start ROLE SCRIPT`: the whole program in a namespace.
start() {
  mkdir -p "$work/$1"
  printf '%s\n' "$2" >"$work/$1.rsc"
  in_namespace "$1" node build/main.js --identity "$1" --config "$work/$1.rsc" \
    --state "$work/$1/state" --run "$work/$1/run" >"$work/$1.log" 2>&1 &
}

for at in 1 2 3; do
  start "node$at" "/ip pool add name=subscribers ranges=10.77.0.0/22
/ppp profile set default-encryption local-address=10.78.0.1 remote-address=subscribers
/ppp secret add name=user1 password=x
/ppp secret add name=user2 password=x
/ppp secret add name=user3 password=x
/ppp profile set default local-address=10.78.0.1 remote-address=subscribers use-encryption=yes
/system cluster set redis=redis://10.211.4.254 dead-after=10s
/interface pptp-server server set enabled=yes"
done
for at in 1 2 3; do until_says "$work/node$at.log" 'listening on TCP 1723'; done
start client "/interface pptp-client add name=to1 connect-to=10.211.1.1 user=user1 password=x disabled=no
/interface pptp-client add name=to2 connect-to=10.211.2.1 user=user2 password=x disabled=no
/interface pptp-client add name=to3 connect-to=10.211.3.1 user=user3 password=x disabled=no"
for at in 1 2 3; do until_says "$work/client.log" "to$at: connected, "; done

for at in 1 2 3; do
  echo; echo "[admin@node$at] > /ppp active print"
  tries=0
  until [ "$(node build/console/pptpctl.io.js --run "$work/node$at/run" '/ppp active print count-only')" = 3 ] || [ "$tries" = 50 ]; do
    tries=$((tries + 1)); sleep 0.1
  done
  node build/console/pptpctl.io.js --run "$work/node$at/run" '/ppp active print'
done
[ "${1:-}" = --once ] && exit 0
printf '\nconsole of a node: npx pptpctl --run %s/node1/run COMMAND\nEnter ends everything. ' "$work"
read -r _ || :
