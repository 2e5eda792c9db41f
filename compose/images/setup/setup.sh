#!/bin/bash
# Makes what compose/docker-compose.yaml needs before its first start, each thing once: a CA, certificates, the key store
# and passwords. Certificates that end within 30 days are made anew. As root, since each folder belongs to whoever uses it:
#   /setup/authority      the CA with its private key: mounted here and nowhere else
#   /setup/postgres       certificate of PostgreSQL, passwords of the database's users
#   /setup/mariadb        the same of MariaDB
#   /setup/acra           certificates of acra-server before each, and its password for Redis (user 10001)
#   /setup/keys           key store (user 10001)
#   /setup/master         the master key, apart from the key store (user 10001)
#   /setup/redis          password of Redis
#   /setup/client         certificate and passwords of the application
set -euo pipefail
umask 077
authority=/setup/authority
server=10001:10001
client_id_of=/setup/client/client.pem

# lasting FILE: whether it is a certificate that is valid for another 30 days.
lasting() {
    openssl x509 -in "$1" -noout -checkend $((30 * 86400)) >/dev/null 2>&1
}

new_key() {
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"
}

make_authority() {
    lasting "$authority/ca.pem" && return
    echo "making a CA"
    new_key "$authority/ca.key"
    openssl req -x509 -new -key "$authority/ca.key" -days 3650 -subj '/O=acra-rs compose/CN=CA' \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign -out "$authority/ca.pem"
}

# issue FOLDER NAME USAGE: NAME is the host name of a server, or the common name of a client.
issue() {
    local folder=$1 name=$2 usage=$3 work
    if lasting "$folder/$name.pem" && cmp -s "$authority/ca.pem" "$folder/ca.pem"; then
        return
    fi
    echo "issuing a certificate to $name"
    work=$(mktemp -d)
    new_key "$work/key"
    openssl req -new -key "$work/key" -subj "/O=acra-rs compose/CN=$name" -out "$work/request"
    printf '%s\n' basicConstraints=critical,CA:FALSE keyUsage=critical,digitalSignature "extendedKeyUsage=$usage" \
        "subjectAltName=DNS:$name,DNS:localhost,IP:127.0.0.1" >"$work/extensions"
    openssl x509 -req -in "$work/request" -CA "$authority/ca.pem" -CAkey "$authority/ca.key" -CAcreateserial -days 365 \
        -extfile "$work/extensions" -out "$work/pem" 2>/dev/null
    install -m 0600 "$work/key" "$folder/$name.key"
    install -m 0644 "$work/pem" "$folder/$name.pem"
    install -m 0644 "$authority/ca.pem" "$folder/ca.pem"
    rm -r "$work"
}

make_password() {
    [ -s "$1" ] || openssl rand -hex 24 >"$1"
}

make_keys() {
    [ -s /setup/master/master.key ] || acra-keymaker --keystore=v1 --generate_master_key=/setup/master/master.key
    [ -z "$(ls /setup/keys)" ] || return 0
    echo "making the key store and the keys of the application's certificate"
    ACRA_MASTER_KEY=$(base64 -w0 /setup/master/master.key) acra-keymaker --keystore=v1 --client_id= \
        --tls_client_id_cert="$client_id_of" --generate_symmetric_storage_key --generate_poisonrecord_keys \
        --keys_output_dir=/setup/keys --keys_public_output_dir=/setup/keys
}

chmod 0700 /setup/*
make_authority
issue /setup/postgres postgres serverAuth
issue /setup/mariadb mariadb serverAuth
issue /setup/acra acra-server serverAuth
issue /setup/acra acra-server-mariadb serverAuth
issue /setup/client client clientAuth
make_password /setup/postgres/superuser.password
make_password /setup/postgres/application.password
make_password /setup/mariadb/root.password
make_password /setup/mariadb/application.password
make_password /setup/redis/password
install -m 0600 /setup/postgres/application.password /setup/client/password
install -m 0600 /setup/mariadb/application.password /setup/client/mariadb.password
install -m 0600 /setup/redis/password /setup/acra/redis.password
make_keys

chown -R "$server" /setup/acra /setup/keys /setup/master
# Whose number is not known here: official images and local ones differ. The volumes themselves are root's on the host,
# and whoever gets one makes a copy that only it can read.
chmod 0755 /setup/postgres /setup/mariadb /setup/redis /setup/client
chmod 0444 /setup/postgres/* /setup/mariadb/* /setup/redis/* /setup/client/*
echo "everything is prepared"
