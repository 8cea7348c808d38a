#!/bin/sh
# Makes, once, what is secret of this folder's services, for this user alone: .env for compose.yaml, and
# s3.json with the keys of the bucket.
set -eu
umask 077
cd "$(dirname "$0")"
if [ -e .env ] || [ -e s3.json ]; then
    echo "setup.sh: .env or s3.json is there already; who deletes them makes new ones" >&2
    exit 1
fi

secret() {
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n'
}

writer_key=$(secret)
reader_key=$(secret)
cat > s3.json <<END
{"identities": [
    {"name": "writer", "credentials": [{"accessKey": "writer", "secretKey": "$writer_key"}],
     "actions": ["Read:lake", "Write:lake", "List:lake", "Tagging:lake"]},
    {"name": "reader", "credentials": [{"accessKey": "reader", "secretKey": "$reader_key"}],
     "actions": ["Read:lake", "List:lake"]}
]}
END
cat > .env <<END
POSTGRES_PASSWORD=$(secret)
LAKE_WRITER_PASSWORD=$(secret)
LAKE_READER_PASSWORD=$(secret)
LAKE_WRITER_KEY=$writer_key
LAKE_READER_KEY=$reader_key
END
