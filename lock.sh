#!/bin/sh
# Write requirements*.lock from requirements*.txt with the given uv: every distribution pinned, with the hashes of all its
# files. torch and what its CUDA build brings are left out, because their files differ from index to index.
set -eu
compile() { # what to compile, where to, further options
    from=$1 to=$2
    shift 2
    cp "$to" "$to.new" 2>/dev/null || :  # uv keeps the versions it finds in its output file
    "$1" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
 "$from" --output-file "$to.new" ${2:+"$2"} ${3:+"$3"}
    awk '/^[a-zA-Z0-9]/ { skip = /^(torch|triton|nvidia-|cuda-)/ } !skip' "$to.new" > "$to"
    rm "$to.new"
}
compile requirements.txt requirements.lock "$1"
compile requirements-dev.txt requirements-dev.lock "$1" --constraint requirements.lock
compile requirements-model.txt requirements-model.lock "$1" --no-deps
compile requirements-llamacpp.txt requirements-llamacpp.lock "$1" --no-deps
compile requirements-tokenizers.txt requirements-tokenizers.lock "$1" --no-deps
compile requirements-g2p.txt requirements-g2p.lock "$1" --no-deps
