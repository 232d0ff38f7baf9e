#!/bin/sh
# Installs the npm packages, which are all that dualtoken needs, and for its tests of WebGPU software Vulkan, where Linux has no driver
# and it can be installed without a question. Safe to run again.
set -eu
cd "$(dirname "$0")"

stop() { printf '%s\n' "$1" >&2; exit 1; }

if ! command -v node >/dev/null 2>&1; then
  stop "dualtoken needs Node 20 or newer, and there is no 'node' on PATH: install it from https://nodejs.org and run ./setup.sh again."
fi
if ! node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)'; then
  stop "dualtoken needs Node 20 or newer, and this is $(node --version): update it from https://nodejs.org and run ./setup.sh again."
fi
command -v npm >/dev/null 2>&1 || stop "Node is here but npm is not: install npm (Debian: apt-get install npm) and run ./setup.sh again."

# npm writes node_modules/.package-lock.json last, so a newer one means that this lock file is installed.
if [ -x node_modules/.bin/tsc ] && [ node_modules/.package-lock.json -nt package-lock.json ]; then
  echo "npm packages: already installed"
else
  npm ci --no-audit --no-fund
fi
npm run --silent build

# Prints the adapter that Dawn finds; fails if it finds none, or can't be loaded.
adapter() {
  node --input-type=module -e "
    import { create } from 'webgpu';
    globalThis.gpu = create([]);
    const adapter = await globalThis.gpu.requestAdapter();
    if (!adapter) process.exit(1);
    console.log(adapter.info.description || adapter.info.device || adapter.info.vendor);" 2>/dev/null
}

# Never asks for a password.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

install_software_vulkan() {
  command -v apt-get >/dev/null 2>&1 || return 1
  as_root true 2>/dev/null || return 1
  echo "Vulkan: Dawn finds no adapter; installing Mesa's software driver for the tests"
  suite=''
  # Debian 12's own Mesa is 22.3, which Dawn refuses.
  if [ "$(. /etc/os-release && echo "$ID ${VERSION_CODENAME:-}")" = 'debian bookworm' ]; then
    suite='bookworm-backports'
    if ! grep -qs "^[^#]*$suite" /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; then
      echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $suite main" |
        as_root tee "/etc/apt/sources.list.d/$suite.list" >/dev/null || return 1
    fi
  fi
  # An unreachable third-party source must not stop the install.
  as_root apt-get update -qq || true
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
    ${suite:+-t "$suite"} mesa-vulkan-drivers libvulkan1
}

if [ "$(uname -s)" = Linux ]; then
  if ! found=$(adapter); then
    install_software_vulkan || true
    found=$(adapter) || found=''
  fi
  if [ -n "$found" ]; then
    echo "Vulkan: $found"
  else
    echo "Vulkan: Dawn finds no adapter, so tests of WebGPU are skipped, and programs run on WebAssembly; software Vulkan is in mesa-vulkan-drivers and libvulkan1 (apt), vulkan-loader (dnf), vulkan-swrast (pacman)."
  fi
fi
echo "Ready. Next: npm start"
