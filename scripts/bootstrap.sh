# Sourced by scripts/run and scripts/test: find a Python that can make the virtual environment.

# Print the first Python >= 3.11 among $PYTHON and the usual names; say what is missing otherwise.
find_python() {
    for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11 python; do
        [ -n "$candidate" ] || continue
        path=$(command -v "$candidate" 2>/dev/null) || continue
        if "$path" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s\n' "$path"
            return 0
        fi
    done
    {
        echo "Python 3.11 or newer is needed and was not found."
        echo "Install it (Debian or Ubuntu: apt install python3 python3-venv; Fedora: dnf install"
        echo "python3; macOS: brew install python), or name it: PYTHON=/path/to/python3 $0"
    } >&2
    return 1
}
