#!/bin/bash
# Stop the server that start-kamailio_writeback.sh started.
exec "$(dirname "$0")/stop-kamailio.sh"
