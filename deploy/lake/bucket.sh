#!/bin/sh
# Makes the bucket of the lake's data in SeaweedFS, where there is none: bucket.sh HOST:PORT of its master.
set -eu
buckets=$(echo "s3.bucket.list" | weed shell -master "$1")
case $buckets in
    *lake*) ;;
    *) echo "s3.bucket.create -name lake" | weed shell -master "$1" ;;
esac
