#!/usr/bin/env bash
# get-mysql.sh: makes sure that MySQL 9.7 is there for the tests, in .cache/mysql.
#
# Debian has it in `sid` alone. Its packages are unpacked, not installed, and its programs made to use the libraries that
# came with them. Ends with exit code 3 if it cannot be had: the tests beside MySQL are then left out, and say so.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

folder=$(workspace_root)/.cache/mysql

unavailable() {
    say "MySQL 9.7 is left out: $*"
    exit 3
}

if version=$(mysql_server --version 2>/dev/null); then
    say "MySQL is there: $version"
    exit
fi
[ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ] || unavailable "there is a recipe for Debian on x86_64 only"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r "$keyring" ] || unavailable "$keyring is missing: install debian-archive-keyring"
mirror=$(awk '/^URIs:/ { print $2; exit }' /etc/apt/sources.list.d/debian.sources 2>/dev/null || true)
mirror=${mirror:-http://deb.debian.org/debian}
need_apt patchelf

say "fetching MySQL from Debian sid (66 MB) into .cache/mysql"
mkdir -p "$(dirname "$folder")"
work=$(mktemp -d "$folder.XXXXXX")
# The folder appears whole or not at all, whenever this is interrupted.
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
mkdir -p "$work"/apt/{etc/apt,state/lists/partial,cache/archives/partial} "$work/tree"
: >"$work/apt/status"
echo "deb [signed-by=$keyring] $mirror sid main" >"$work/apt/etc/apt/sources.list"
# The index of a mirror may be past its date; its signature is checked all the same.
cat >"$work/apt/apt.conf" <<APT
Dir::Etc "$work/apt/etc/apt";
Dir::State "$work/apt/state";
Dir::State::status "$work/apt/status";
Dir::Cache "$work/apt/cache";
APT::Architecture "amd64";
APT::Sandbox::User "$(id -un)";
Acquire::Languages "none";
Acquire::Check-Valid-Until "false";
APT
fetch() {
    APT_CONFIG=$work/apt/apt.conf timeout 300 apt-get -qq "$@" >&2
}
fetch update || unavailable "the index of $mirror cannot be fetched"
fetch -y --no-install-recommends -d install mysql-server-core mysql-client-core \
    || unavailable "its packages cannot be fetched from $mirror"
for package in "$work"/apt/cache/archives/*.deb; do
    case $(basename "$package") in
        # Not needed to run it.
        perl* | libperl* | libc-bin* | libc-gconv* | libdb5* | openssl-provider* | libgdbm* | debconf*) ;;
        *) dpkg-deb -x "$package" "$work/tree" ;;
    esac
done
rm -rf "$work/apt" "$work"/tree/usr/share/{doc,man,locale,lintian,bug} "$work/tree/usr/include"
mv "$work/tree" "$folder.new"
rm -rf "$folder"
mv "$folder.new" "$folder"
libraries=$folder/usr/lib/x86_64-linux-gnu
for program in sbin/mysqld bin/mysql bin/mysqladmin; do
    patchelf --set-interpreter "$libraries/ld-linux-x86-64.so.2" --force-rpath --set-rpath "$libraries" \
        "$folder/usr/$program" || unavailable "its programs cannot be made to run here"
done
version=$(mysql_server --version) || unavailable "it does not run here"
say "MySQL is ready: $version"
