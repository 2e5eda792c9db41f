# Shared by the scripts of this folder; source it.

# Prints what a script does, apart from what the programs it runs print.
say() {
    printf '== %s\n' "$*" >&2
}

# Ends the script with a message that says what to do.
die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# The root of the workspace.
workspace_root() {
    (cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
}

# Installs Debian packages unless they are all there. As root, or by sudo when it asks no password.
need_apt() {
    local package missing=()
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    local root=()
    if [ "$(id -u)" -ne 0 ]; then
        sudo -n true 2>/dev/null || die "run this as root: apt-get install --no-install-recommends ${missing[*]}"
        root=(sudo -n)
    fi
    say "installing ${missing[*]}"
    "${root[@]}" apt-get -qq update >&2
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq install -y --no-install-recommends "${missing[@]}" >&2
}

# A port that nobody listens at now.
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Becomes a command that runs as a user PostgreSQL agrees to run as: the caller, or `postgres` or `nobody` for root.
as_postgres_exec() {
    [ "$(id -u)" -eq 0 ] || exec "$@"
    local user
    user=$(postgres_user)
    exec setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups -- "$@"
}

# The same for a command that ends.
as_postgres() {
    (as_postgres_exec "$@")
}

# The user of `as_postgres`.
postgres_user() {
    if [ "$(id -u)" -ne 0 ]; then
        id -un
    elif id postgres >/dev/null 2>&1; then
        echo postgres
    else
        echo nobody
    fi
}

# The folder of the programs of a PostgreSQL version; fails if it is not installed.
postgres_bin() {
    local folder
    for folder in "$(workspace_root)/.cache/postgres/$1/bin" "/usr/lib/postgresql/$1/bin"; do
        if [ -x "$folder/postgres" ]; then
            echo "$folder"
            return
        fi
    done
    return 1
}

# Runs MySQL's server program of .cache/mysql; fails if it is not there.
mysql_server() {
    "$(workspace_root)/.cache/mysql/usr/sbin/mysqld" --no-defaults "$@"
}
