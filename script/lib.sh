# shellcheck shell=bash
# What the scripts share; to be sourced by bash.
#
# A scratch cluster, a staged installation and a sandbox live in one temporary
# folder, reach nothing outside it, and go when the script ends, however it
# ends.  PostgreSQL does not run as root: for root the server runs as the user
# postgres, for anybody else as oneself.
#
#   scratch_folder       -> $scratch
#   copy_tree FOLDER     the sources, without what was built from them; what was
#                        built in an earlier copy stays
#   named FOLDER SUFFIX [NAME...]
#                        the files there whose names begin so, without suffix
#   beside COMMAND...    run it beside others, as many as there are processors
#   all_done             wait for these
#   build [make args]    build the extension, where it stands
#   install_staged       install into $scratch/install, not into the system
#   start_postgres [conf lines]
#                        -> a server that preloads the extension (or what
#                           XERO_PRELOAD says, even nothing), and pg_cron if
#                           it is installed, for the database postgres; its
#                           log is kept in the folder XERO_LOGS if there is
#                           one; PGHOST, PGPORT, PGUSER and PGDATABASE lead psql
#                           to it
#   start_sandbox [args] -> XERO_SANDBOX_URL, and $scratch for sandbox-control

# A script does the same whatever its caller has in the environment for other
# purposes.  Of that, settings of PostgreSQL and make, of languages, and of the
# interpreters that scripts use are forgotten, and a folder for temporary files is
# only used if PostgreSQL can be run there.

for name in $(compgen -e); do
    case $name in
        PG_CONFIG) ;;
        PG* | PSQL* | PSQLRC | LANG | LANGUAGE | LC_* | TZ | *MAKEFLAGS | MFLAGS | MAKEFILES | \
            MAKELEVEL | DESTDIR | CDPATH | BASH_ENV | ENV | GREP_* | TAR_OPTIONS | POSIXLY_CORRECT | \
            PYTHON* | PERL* | HARNESS_* | NODE_OPTIONS | CURL_HOME) unset "$name" ;;
    esac
done
unset name
export LC_ALL=C.UTF-8
# What installs packages may need a proxy; the sandbox is here.
export no_proxy="127.0.0.1${no_proxy:+,$no_proxy}"
export NO_PROXY=$no_proxy
PATH=/usr/bin:/bin:/usr/sbin:/sbin:$PATH
umask 022

# PostgreSQL's user must get there as well, in a path that a socket's name can have.
usable_for_temporary_files() {
    case $1 in
        *[!A-Za-z0-9_./-]*) return 1 ;;
        /*) ;;
        *) return 1 ;;
    esac
    [ "${#1}" -le 50 ] && [ -d "$1" ] && [ -w "$1" ] &&
        { [ "$(id -u)" != 0 ] || runuser -u nobody -- test -x "$1"; }
}
usable_for_temporary_files "${TMPDIR:=/tmp}" || TMPDIR=/tmp
export TMPDIR

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Debian's packages for building and testing, besides PostgreSQL's.
# shellcheck disable=SC2034
needed_packages="gcc make libc6-dev pkg-config perl libipc-run-perl libjson-xs-perl
    python3 python3-aiohttp python3-cryptography python3-h2 python3-yaml
    libcurl4-openssl-dev libjson-c-dev libssl-dev"

fail() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

# Sets pg_config, and bindir etc. from it.  Not at load time: bootstrap may
# have to install it first.
find_postgres() {
    pg_config=${PG_CONFIG:-}
    if [ -z "$pg_config" ]; then
        pg_config=$(command -v pg_config || true)
        # /usr/bin/pg_config may be libpq-dev's, which knows no server.
        if [ -x /usr/lib/postgresql/15/bin/pg_config ]; then
            pg_config=/usr/lib/postgresql/15/bin/pg_config
        fi
    fi
    [ -n "$pg_config" ] || fail "no pg_config found; run script/bootstrap"
    bindir=$("$pg_config" --bindir)
    pkglibdir=$("$pg_config" --pkglibdir)
    sharedir=$("$pg_config" --sharedir)
    [ -x "$bindir/initdb" ] || fail "no PostgreSQL server in $bindir"
}

# The current folder may be closed to postgres.
as_postgres() {
    if [ "$(id -u)" = 0 ]; then
        (cd / && runuser -u postgres -- "$@")
    else
        "$@"
    fi
}

scratch=
scratch_folder() {
    scratch=$(mktemp -d "$TMPDIR/xero_fdw.XXXXXX")
    chmod 755 "$scratch"
    trap remove_scratch EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
}

remove_scratch() {
    local status=$? pid
    trap - EXIT
    for pid in "${!beside[@]}"; do kill -- "-$pid" 2>/dev/null || true; done
    stop_sandbox
    stop_postgres
    rm -rf "$scratch"
    exit "$status"
}

copy_tree() {
    mkdir -p "$1"
    tar -C "$root" -cv --index-file="$1/.copied.new" --exclude=./.git --exclude='./.copied*' --exclude=./log \
        --exclude=./test/unit/build \
        --exclude='*.[od]' --exclude='*.so' --exclude='*.bc' --exclude=node_modules --exclude=__pycache__ . |
        tar -C "$1" -x --no-same-owner
    # What is gone goes, and the library is linked anew.
    if [ -e "$1/.copied" ]; then
        (cd "$1" && comm -13 <(sort .copied.new) <(sort .copied) | xargs -rd '\n' rm -rf xero_fdw.so)
    fi
    mv "$1/.copied.new" "$1/.copied"
}

named() {
    local folder=$1 suffix=$2 name
    shift 2
    for name in "${@:-}"; do
        name=${name##*/}
        (cd "$root/$folder" && compgen -G "${name%"$suffix"}*$suffix") || fail "no test in $folder is called $name"
    done | sed "s/$suffix\$//" | sort -u
}

declare -A beside=()
# Each is a process group, so that all that it has started can be ended.
beside() {
    while [ "${#beside[@]}" -ge "$(nproc)" ]; do one_done; done
    set -m
    "$@" </dev/null &
    set +m
    beside[$!]=
}

one_done() {
    local pid status=0
    wait -n -p pid "${!beside[@]}" || status=$?
    unset "beside[$pid]"
    return "$status"
}

all_done() {
    while [ "${#beside[@]}" -gt 0 ]; do one_done; done
}

# Bitcode would double the time and serves only JIT inlining.
build() {
    make -s -C "$root" -j"$(nproc)" with_llvm=no PG_CONFIG="$pg_config" "$@"
}

install_staged() {
    (umask 022 &&
        make -s -C "$root" with_llvm=no PG_CONFIG="$pg_config" \
            DESTDIR="$scratch/install" install) >"$scratch/install.log" 2>&1 || {
        cat "$scratch/install.log" >&2
        fail "make install failed"
    }
}

# The settings under which a server finds the extension in folder $1.
# Debian's extension_destdir does not reach shared_preload_libraries, hence
# the library path as well; PostgreSQL 18 has a path for control files.
staged_settings() {
    echo "dynamic_library_path = '$1$pkglibdir:\$libdir'"
    case $("$bindir/postgres" --describe-config) in
        *extension_control_path*) echo "extension_control_path = '$1$sharedir:\$system'" ;;
        *extension_destdir*) echo "extension_destdir = '$1'" ;;
        *) fail "this PostgreSQL finds extensions only where it is installed" ;;
    esac
}

has_cron() {
    [ -f "$sharedir/extension/pg_cron.control" ]
}

start_postgres() {
    local preload=${XERO_PRELOAD-xero_fdw}
    if has_cron; then preload=${preload:+$preload, }pg_cron; fi
    pgfolder="$scratch/postgres"
    mkdir "$pgfolder"
    if [ "$(id -u)" = 0 ]; then
        chown postgres: "$pgfolder"
    fi
    chmod 700 "$pgfolder"
    as_postgres "$bindir/initdb" -D "$pgfolder/data" -U postgres -A trust \
        -E UTF8 --locale=C --no-sync >"$scratch/initdb.log" 2>&1 || {
        cat "$scratch/initdb.log" >&2
        fail "initdb failed"
    }
    {
        # No TCP: the socket's folder is the server's alone, so any port does.
        echo "listen_addresses = ''"
        echo "port = 5432"
        echo "unix_socket_directories = '$pgfolder'"
        echo "fsync = off"
        echo "xero_fdw.key_file = '$pgfolder/key'"
        echo "shared_preload_libraries = '$preload'"
        if has_cron; then echo "cron.use_background_workers = on"; fi
        staged_settings "$scratch/install"
        printf '%s\n' "$@"
    } >>"$pgfolder/data/postgresql.conf"
    server_log="${XERO_LOGS:-$pgfolder}/server.$$.log"
    as_postgres "$bindir/pg_ctl" -s -w -D "$pgfolder/data" -l "$server_log" start \
        >/dev/null || {
        cat "$server_log" >&2
        fail "the scratch server did not start"
    }
    export PGHOST="$pgfolder" PGPORT=5432 PGUSER=postgres PGDATABASE=postgres
    PATH="$bindir:$PATH"
}

stop_postgres() {
    [ -z "${pgfolder:-}" ] || [ ! -f "$pgfolder/data/postmaster.pid" ] ||
        as_postgres "$bindir/pg_ctl" -s -D "$pgfolder/data" -m immediate stop \
            >/dev/null 2>&1 || true
}

start_sandbox() {
    local line
    sandbox_log="$scratch/sandbox.log"
    : >"$sandbox_log"
    "$root/test/sandbox/xero-sandbox" --port 0 "$@" >"$sandbox_log" 2>&1 &
    sandbox_pid=$!
    for _ in $(seq 150); do
        line=$(grep -m1 '^listening on ' "$sandbox_log" || true)
        if [ -n "$line" ]; then
            export XERO_SANDBOX_URL=${line#listening on }
            export XERO_SANDBOX_FOLDER=$scratch
            return
        fi
        kill -0 "$sandbox_pid" 2>/dev/null || break
        sleep 0.1
    done
    cat "$sandbox_log" >&2
    fail "the sandbox did not start"
}

stop_sandbox() {
    if [ -n "${sandbox_pid:-}" ]; then
        kill "$sandbox_pid" 2>/dev/null || true
        wait "$sandbox_pid" 2>/dev/null || true
    fi
}
