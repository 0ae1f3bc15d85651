#!/usr/bin/env bash
# The shape of compose.yaml on one machine, without containers: two app processes, nginx in front of them, PostgreSQL, one llama.cpp
# server. nginx and PostgreSQL are Debian's packages, installed where they are missing and this is root.
#   make try        or: deploy/try.sh [port]
# It says when readers may come and which process is which, and ends all of it with Ctrl+C. Nothing is left on the disk.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
folder=$(mktemp -d "${TMPDIR:-/tmp}/playground-try-XXXXXX")
chmod 755 "$folder" # PostgreSQL's user looks for its own below
started=()

finish() {
    trap - EXIT
    for ((i = ${#started[@]} - 1; i >= 0; i--)); do kill "${started[i]}" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

packages=()
command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || packages+=(nginx-light)
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || packages+=(postgresql)
if [ ${#packages[@]} -gt 0 ]; then
    if [ "$(id -u)" != 0 ]; then
        echo "Missing: ${packages[*]}. Install with: sudo apt-get install ${packages[*]}" >&2
        exit 1
    fi
    apt-get update -qq && apt-get install -y -qq --no-install-recommends "${packages[@]}"
fi
nginx=$(command -v nginx || echo /usr/sbin/nginx)
postgresql=$(compgen -G '/usr/lib/postgresql/*/bin' | sort -V | tail -1)

free_ports() { # as many as asked for, all different
    "$python" - "$1" <<'PYTHON'
import socket, sys
sockets = [socket.socket() for _ in range(int(sys.argv[1]))]
for one in sockets:
    one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in sockets))
PYTHON
}

answers() { # url, process: until it answers; fails when the process ends
    until "$python" -c 'import sys, urllib.request as r; r.urlopen(sys.argv[1], timeout=2)' "$1" 2>/dev/null; do
        kill -0 "$2" 2>/dev/null || { echo "It has ended: $1" >&2; tail -20 "$folder"/*.log >&2; exit 1; }
        sleep 0.2
    done
}

read -r port_app1 port_app2 port_postgresql port_nginx <<<"$(free_ports 4)"
port_nginx=${1:-$port_nginx}

# PostgreSQL, which refuses to run as root.
as_user=()
data=$folder/postgresql
mkdir "$data"
if [ "$(id -u)" = 0 ]; then
    chown postgres "$data"
    as_user=(setpriv --reuid=postgres --regid=postgres --clear-groups)
fi
(cd "$data" && "${as_user[@]}" "$postgresql/initdb" --pgdata="$data/cluster" --no-sync --auth=trust --username=playground \
    --encoding=UTF8 --locale=C >/dev/null)
(cd "$data" && exec "${as_user[@]}" "$postgresql/postgres" -D "$data/cluster" -p "$port_postgresql" -k "$data" \
    -c listen_addresses=127.0.0.1) >"$folder/postgresql.log" 2>&1 &
started+=($!)
until "$postgresql/pg_isready" --quiet --host=127.0.0.1 --port="$port_postgresql" --username=playground; do sleep 0.1; done
"$postgresql/createdb" --host=127.0.0.1 --port="$port_postgresql" --username=playground playground

# The model: llama.cpp's own server on the bundled weights. It ends with its input, which is this script's.
mkfifo "$folder/hold" && exec 9<>"$folder/hold"
"$python" -m playground.models.llamacpp_server --threads 1 --slots "${PLAYGROUND_TRY_SLOTS:-4}" >"$folder/model" 2>"$folder/model.log" <&9 &
started+=($!)
until [ -s "$folder/model" ]; do
    kill -0 "${started[-1]}" || { cat "$folder/model.log" >&2; exit 1; }
    sleep 0.2
done

# Two app processes that share the store and the model, and nothing else.
export PLAYGROUND_STORE=postgresql+psycopg://playground@127.0.0.1:$port_postgresql/playground
export PLAYGROUND_MODEL=${PLAYGROUND_TRY_MODEL-$(cat "$folder/model")} PLAYGROUND_SERVERS="" HF_HUB_OFFLINE=1
STREAMLIT_SERVER_COOKIE_SECRET=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
export STREAMLIT_SERVER_COOKIE_SECRET PLAYGROUND_SECRET=$STREAMLIT_SERVER_COOKIE_SECRET PLAYGROUND_SHARED=1
for number in 1 2; do
    port=port_app$number
    PLAYGROUND_DATA=$folder/data$number "$python" -m streamlit run app.py --server.port "${!port}" --server.headless true \
        --server.address 127.0.0.1 >"$folder/app$number.log" 2>&1 9>&- &
    started+=($!)
    echo "app $number: process $!, http://127.0.0.1:${!port}, $folder/app$number.log"
done

# nginx with the template of compose.yaml; the app processes by their ports instead of a name.
mkdir "$folder/nginx"
sed "s/\${PLAYGROUND_LISTEN}/127.0.0.1:$port_nginx/" deploy/nginx/default.conf.template >"$folder/nginx/playground.conf"
cat >"$folder/nginx/nginx.conf" <<CONF
$([ "$(id -u)" != 0 ] || echo "user root;")
worker_processes 1;
daemon off;
pid $folder/nginx/pid;
error_log $folder/nginx.log;
events {}
http {
    access_log off;
    client_body_temp_path $folder/nginx/body;
    proxy_temp_path $folder/nginx/proxy;
    fastcgi_temp_path $folder/nginx/fastcgi;
    uwsgi_temp_path $folder/nginx/uwsgi;
    scgi_temp_path $folder/nginx/scgi;
    upstream playground_app {
        zone playground_app 256k;
        hash \$playground_reader consistent;
        server 127.0.0.1:$port_app1 max_fails=1 fail_timeout=5s;
        server 127.0.0.1:$port_app2 max_fails=1 fail_timeout=5s;
    }
    include $folder/nginx/playground.conf;
}
CONF
"$nginx" -e "$folder/nginx.log" -p "$folder/nginx" -c "$folder/nginx/nginx.conf" &
started+=($!)

answers "http://127.0.0.1:$port_app1/readyz" "${started[2]}"
answers "http://127.0.0.1:$port_app2/readyz" "${started[3]}"
answers "http://127.0.0.1:$port_nginx/healthz" "${started[4]}"
echo "model: $PLAYGROUND_MODEL"
echo "store: $PLAYGROUND_STORE"
echo "ready: http://127.0.0.1:$port_nginx"
wait "${started[4]}"
