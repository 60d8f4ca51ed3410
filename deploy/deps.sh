#!/usr/bin/env bash
# Installs the Debian or Ubuntu packages that a make target needs and that are missing.
#   demo:  PostgreSQL 15 or later (its programs only: Dropline runs its own server), the OpenSSH client
#   test:  also lftp, sshpass, PuTTY's tools, rclone, paramiko and GnuPG, as clients
#   bench: also OpenSSH's server, as a yardstick, and programs that compress
# No service is started or enabled by it.
set -euo pipefail

have() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; }
have_postgres() { compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || have initdb; }

packages=()
have_postgres || packages+=(postgresql)
have sftp || packages+=(openssh-client)
have ssh-keygen || packages+=(openssh-client)
if [ "${1:-demo}" != demo ]; then
  have lftp || packages+=(lftp)
  have sshpass || packages+=(sshpass)
  { have psftp && have pscp; } || packages+=(putty-tools)
  have rclone || packages+=(rclone)
  have gpg || packages+=(gnupg)
  /usr/bin/python3 -c 'import paramiko' 2>/dev/null || packages+=(python3-paramiko)
fi
if [ "${1:-demo}" = bench ]; then
  have sshd || packages+=(openssh-server)
  have zip || packages+=(zip)
  have zstd || packages+=(zstd)
  have xz || packages+=(xz-utils)
  have bzip2 || packages+=(bzip2)
fi
[ ${#packages[@]} -eq 0 ] && exit 0

sudo=()
if [ "$(id -u)" -ne 0 ]; then
  have sudo || { echo "dropline: these packages are missing and there is no sudo: ${packages[*]}" >&2; exit 1; }
  sudo=(sudo)
fi
have apt-get || { echo "dropline: install these yourself, this is not Debian or Ubuntu: ${packages[*]}" >&2; exit 1; }

echo "installing ${packages[*]}"
# While this file is there, a package's installation starts no service.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap '"${sudo[@]}" rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | "${sudo[@]}" tee "$policy" >/dev/null
  "${sudo[@]}" chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
"${sudo[@]}" apt-get -qq update
"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${packages[@]}" >/dev/null
# Nor does one start at the next boot: Dropline needs the programs, not the services.
if have systemctl; then
  for package in "${packages[@]}"; do
    case "$package" in
      postgresql) "${sudo[@]}" systemctl disable -q postgresql 2>/dev/null || true ;;
      openssh-server) "${sudo[@]}" systemctl disable -q ssh 2>/dev/null || true ;;
    esac
  done
fi
