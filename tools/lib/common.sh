# shellcheck shell=bash
# What tools/up and tools/test have in common. Sourced, never run.

# Everything that people should read goes to standard output, trouble to standard error.
say() { printf '%s\n' "$*"; }
warn() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() {
  warn "$*"
  exit 1
}

# until_true SECONDS COMMAND...: runs it until it succeeds, at most that long; false if it never did.
until_true() {
  local deadline=$((SECONDS + $1))
  shift
  while ! "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}

# Does anything on this machine listen on that TCP port? Reads the kernel's table: connecting would
# disturb whoever listens, and ss is not installed everywhere. The table is empty without IPv6.
port_taken() {
  local hex files=(/proc/net/tcp)
  printf -v hex '%04X' "$1"
  [[ -r /proc/net/tcp6 ]] && files+=(/proc/net/tcp6)
  # "0: 0100007F:1F90 00000000:0000 0A ...": local address, remote address, 0A is LISTEN.
  grep -qE "^ *[0-9]+: [0-9A-F]+:$hex [0-9A-F]+:0000 0A " "${files[@]}"
}

# Does anything have that TCP port at all, be it a client for its own end? Then no server can bind it.
port_used() {
  local hex files=(/proc/net/tcp)
  printf -v hex '%04X' "$1"
  [[ -r /proc/net/tcp6 ]] && files+=(/proc/net/tcp6)
  grep -qE "^ *[0-9]+: [0-9A-F]+:$hex " "${files[@]}"
}

# pick_port NAME WANTED TAKEN...: prints WANTED or the next free one that is not among TAKEN.
pick_port() {
  local name=$1 wanted=$2 port
  shift 2
  for ((port = wanted; port < wanted + 200 && port < 65536; ++port)); do
    [[ " $* " == *" $port "* ]] && continue
    port_used "$port" && continue
    ((port == wanted)) || warn "port $wanted ($name) is taken; using $port"
    printf '%s\n' "$port"
    return
  done
  die "no free port for $name from $wanted on"
}

# Newest installed PostgreSQL server programs; Debian keeps them off PATH.
postgres_programs() {
  local best='' dir
  for dir in /usr/lib/postgresql/*/bin; do
    [[ -x $dir/initdb ]] && best=$(printf '%s\n%s\n' "$best" "$dir" | sort -V | tail -n 1)
  done
  [[ -n $best ]] || die "PostgreSQL's server programs are not installed; run tools/install-deps"
  printf '%s\n' "$best"
}

# Builds the web page if its sources are newer than its result; says so if it cannot.
# $1: the repository, $2: log file.
build_page() {
  local page=$1/gateway/dashboard log=$2
  if [[ -f $page/dist/index.html ]] &&
    [[ -z $(find "$page/src" "$page/index.html" "$page/package-lock.json" \
      "$page/vite.config.mjs" -newer "$page/dist/index.html" -print -quit) ]]; then
    return 0
  fi
  # Chained: where the caller asks whether it worked, set -e is off.
  (cd "$page" && npm_install && npm run build) >>"$log" 2>&1
}

# npm ci in the current folder, only if the installed packages are not those of the lock file: so
# nothing needs the network twice.
npm_install() {
  if [[ ! -f node_modules/.package-lock.json ]] ||
    [[ package-lock.json -nt node_modules/.package-lock.json ]]; then
    npm ci --no-audit --no-fund && touch node_modules/.package-lock.json
  fi
}
