#!/usr/bin/env bash
# Puts a service back on a release that is already on this machine.
#
#   rollback.sh SERVICE VERSION      VERSION with or without its leading v
#
# The symlink `current` is switched, PM2 restarts the service, and its health is asked up to ten times.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# sudo hands over an almost empty environment: what the machine says of itself counts.
if [ -r "$here/../../etc/environment" ]; then
  set -a
  . "$here/../../etc/environment"
  set +a
fi
: "${APP_HOME:=/opt/ai_app}" "${SERVICE_URL:=http://localhost:8080}"

if [ $# -ne 2 ]; then
  echo "Usage: rollback.sh SERVICE VERSION" >&2
  exit 2
fi
service=$1
version="v${2#v}"

if [ "$service" != backend ]; then
  echo "Error: Unknown service: $service" >&2
  exit 1
fi
case $2 in */*) bad=1 ;; *) bad= ;; esac
if [ -n "$bad" ] || [ ! -f "$APP_HOME/releases/$version/version.txt" ]; then
  echo "Error: Version not found: $version" >&2
  exit 1
fi

echo "Rollback Start: $service, $(cat "$APP_HOME/current/version.txt") -> $version"
echo "Switching to version $version"
ln -sfn "releases/$version" "$APP_HOME/current"

echo "Restarting $service with PM2"
pm2 restart "$service" >/dev/null || pm2 start "$APP_HOME/ecosystem.config.js" >/dev/null

for try in 1 2 3 4 5 6 7 8 9 10; do
  code=$(curl -s -m 5 -o /dev/null -w '%{http_code}' "$SERVICE_URL/actuator/health") || true
  echo "Health check $try/10: HTTP $code"
  if [ "$code" = 200 ]; then
    # From here on a rising restart count is news again.
    pm2 reset "$service" >/dev/null
    echo "Rollback Complete: $version"
    exit 0
  fi
  sleep 1
done
echo "Error: $service is not healthy on $version" >&2
exit 1
