//go:build unix

package push

import (
	"os"

	"golang.org/x/sys/unix"
)

// errTaken is of a lock that another process holds.
const errTaken = unix.EWOULDBLOCK

// take locks a file against all others until it is closed, also by the end of the process.
func take(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) }

// release leaves it to the file's closing.
func release(*os.File) {}

func rename(from, to string) error { return os.Rename(from, to) }
