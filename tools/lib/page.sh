#!/usr/bin/env bash
# The web page as tools/test needs it: `build` its files if they are old, `test` with vitest.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tools/lib/common.sh
source "$root/tools/lib/common.sh"
case ${1:-} in
  build) build_page "$root" /dev/stdout ;;
  test)
    cd "$root/gateway/dashboard"
    npm_install
    npm test
    ;;
  *) die "build or test?" ;;
esac
