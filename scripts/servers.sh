# Shared by the scripts that run a command beside servers; source it after lib.sh.

# begin_servers SIGNAL: makes the folder `work` for data and logs of servers. When the script ends, those whose process
# ids are in `pids` get that signal, and the folder is removed.
begin_servers() {
    stop_signal=$1
    pids=()
    work=$(mktemp -d)
    trap end_servers EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

end_servers() {
    trap - EXIT INT TERM
    [ ${#pids[@]} -eq 0 ] || kill -"$stop_signal" "${pids[@]}" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$work"
}
