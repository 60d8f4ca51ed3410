package push

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/windows"
)

const (
	// errTaken is of a lock that another process holds.
	errTaken = windows.ERROR_LOCK_VIOLATION

	renameTries = 40
	renameWait  = 50 * time.Millisecond
)

// take locks a file against all others until it is released or the process ends.
func take(f *os.File) error {
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &windows.Overlapped{})
}

// release ends the lock: after a mere closing, Windows lets go of it when it has time.
func release(f *os.File) {
	_ = windows.UnlockFileEx(windows.Handle(f.Fd()), 0, 1, 0, &windows.Overlapped{}) // the file is closed next
}

// rename replaces a file in one step. A scanner for viruses or an indexer may hold it open for a moment, which other systems would
// not mind: it is waited for, two seconds at most.
func rename(from, to string) error {
	for try := 1; ; try++ {
		err := os.Rename(from, to)
		held := errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_ACCESS_DENIED)
		if !held || try == renameTries {
			return err
		}
		time.Sleep(renameWait)
	}
}
