#!/usr/bin/env bash
# Builds what benches/card/run.sh needs on a machine that has a card and no network, and packs it:
#
#     benches/card/pack.sh card.tar.gz [FEATURES]
#
# FEATURES are `gpu,autotune` unless they are given. With them the Vulkan loader of this machine is packed as well
# (on Debian: apt-get install libvulkan1); the card's own driver is on the other machine.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$1
features=${2:-gpu,autotune}
kit=$(mktemp -d)
trap 'rm -rf "$kit"' EXIT

# The last program that cargo says it built for a target.
built() { grep -o '"executable":"[^"]*"' | tail -1 | cut -d'"' -f4; }
build() { cargo "$@" --release --features "$features" --message-format json | built; }

cp "$(build build --bin relprop)" "$kit/relprop"
cp "$(build bench --bench speed --no-run)" "$kit/speed"
case $features in
*gpu*)
  # With the tests' own profile, in which what they check is on.
  cp "$(cargo test --features "$features" --test devices --no-run --message-format json | built)" "$kit/devices"
  mkdir "$kit/lib"
  cp -L "$(ldconfig -p | awk '/libvulkan\.so\.1 /{print $NF; exit}')" "$kit/lib/"
  ;;
esac
cp -r benches/pytorch benches/card/run.sh "$kit"
tar -czf "$out" -C "$kit" .
echo "$out: unpack it on the machine with the card, and call ./run.sh cuda"
