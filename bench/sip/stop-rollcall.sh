#!/bin/bash
# Stop the server that start-rollcall.sh started.
set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
PEER_DIR=${PEER_DIR:-$HERE/rollcall} exec "$HERE/stop-kamailio.sh"
