#!/bin/sh
# Makes a Debian machine run the concentrator as services of systemd: users, directories, sysctls, modules, packet filter, units.
#   deploy/systemd/install.sh
# Needs root and a prepared checkout in /opt/pptp-concentrator (deploy/prepare.sh run). Nothing is started. The second call brings
# what has changed. With DESTDIR files are put there and nothing else happens: for packagers.
set -eu
cd "$(dirname "$0")/../.."
root=${DESTDIR:-}
home=/opt/pptp-concentrator
if [ -z "$root" ]; then
  [ "$(id -u)" = 0 ] || { echo "install: users and units need root" >&2; exit 1; }
  [ "$(pwd -P)" = "$(realpath -m "$home")" ] || { echo "install: the units run what is in $home: move this directory there" >&2; exit 1; }
  [ -x build/native/pptp-engine ] && [ -e build/main.js ] || { echo "install: build it first: deploy/prepare.sh run" >&2; exit 1; }
fi

# `put FILE PLACE`
put() { install -D -m 0644 "$1" "$root$2"; }
for unit in pptp-engine pptp-concentrator pptp-host; do
  put "deploy/systemd/$unit.service" "/etc/systemd/system/$unit.service"
done
put deploy/systemd/sysusers.conf /etc/sysusers.d/pptp-concentrator.conf
put deploy/systemd/tmpfiles.conf /etc/tmpfiles.d/pptp-concentrator.conf
put deploy/host/sysctl.conf /etc/sysctl.d/60-pptp-concentrator.conf
put deploy/host/modules.conf /etc/modules-load.d/pptp-concentrator.conf
[ -z "$root" ] || exit 0

dpkg-query -W nftables >/dev/null 2>&1 || DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends nftables >/dev/null
systemd-sysusers
systemd-tmpfiles --create /etc/tmpfiles.d/pptp-concentrator.conf
systemctl restart systemd-modules-load.service
sysctl --quiet --load=/etc/sysctl.d/60-pptp-concentrator.conf
ln -sf "$home/build/console/pptpctl.io.js" /usr/local/bin/pptpctl
systemctl daemon-reload
echo "install: done; start it with: systemctl enable --now pptp-engine pptp-concentrator"
