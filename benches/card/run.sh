#!/usr/bin/env bash
# Measures relprop on a card, beside PyTorch where python3 has it, and writes tables in Markdown to standard output:
#
#     ./run.sh cuda [CASE ...] > card.md        # PyTorch's name of the device: cuda, or cpu
#
# A case is shape,tokens,texts. It runs in the folder that pack.sh packed. First every preset is compared with the CPU.
set -euo pipefail
cd "$(dirname "$0")"
device=$1
shift
cases=("$@")
if [ ${#cases[@]} -eq 0 ]; then
  for tokens in 128 512; do
    for texts in 1 16 64; do cases+=("minilm,$tokens,$texts" "bert-base,$tokens,$texts"); done
  done
fi
runs=${RUNS:-7}
own=cpu
if [ "$device" != cpu ]; then
  own=gpu
  export LD_LIBRARY_PATH="$PWD/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  # A driver that is installed for computing alone does not tell the loader of itself.
  if [ -z "${VK_DRIVER_FILES:-}" ] && ! ls /usr/share/vulkan/icd.d/*.json /etc/vulkan/icd.d/*.json >/dev/null 2>&1; then
    library=$(ldconfig -p | awk '/lib(EGL|GLX)_nvidia\.so\.0 /{print $NF; exit}')
    printf '{"file_format_version":"1.0.1","ICD":{"library_path":"%s","api_version":"1.3.0"}}' "$library" >driver.json
    export VK_DRIVER_FILES="$PWD/driver.json"
  fi
fi

echo "# relprop on $(uname -m), $(nproc) cores"
echo
echo '```text'
grep -m1 'model name' /proc/cpuinfo || true
command -v nvidia-smi >/dev/null && nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader || true
./relprop --version
./relprop devices
echo '```'

echo
echo '## Every preset against the CPU'
echo
echo '```text'
if [ -x ./devices ] && [ "$own" = gpu ]; then
  ./devices --test-threads=1 2>&1 | grep -E '^test |panicked|test result' || true
else
  echo "left out: the device is the CPU"
fi
echo '```'

echo
echo '## One pass'
echo
if ! python3 -c 'import torch, transformers' 2>/dev/null; then
  echo "PyTorch and transformers are not here, so relprop is alone."
  echo
fi
python3 pytorch/speed.py ./speed --device "$device" --runs "$runs" --cases "${cases[@]}" \
  --work forward gradient-x-input ah-ln attn-lrp

echo
echo '## Training'
echo
echo '| device | seconds | held-out accuracy |'
echo '| --- | --- | --- |'
settings=$(mktemp -d)
trap 'rm -rf "$settings"' EXIT
printf 'epochs = 1\nbatch = 64\n' >"$settings/train.toml"
for on in $(printf '%s\n' cpu "$own" | sort -u); do
  start=$(date +%s.%N)
  said=$(./relprop train --data agreement --task next-token --config "$settings/train.toml" \
    --out "$settings/$on" --device "$on" 2>/dev/null)
  seconds=$(awk -v start="$start" -v end="$(date +%s.%N)" 'BEGIN { printf "%.1f", end - start }')
  echo "| $on | $seconds | $(awk '/held-out/ { print $NF }' <<<"$said") |"
done
