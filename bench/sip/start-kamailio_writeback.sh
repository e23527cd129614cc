#!/bin/bash
# Start Kamailio as start-kamailio.sh does, with registrations that it stores.
STORE=writeback exec "$(dirname "$0")/start-kamailio.sh"
