package main

import (
	"errors"
	"fmt"
	"os"

	"dropline/ingest"
	"dropline/internal/dbchild"
	"dropline/internal/devstack"
	"dropline/internal/seal"
)

// runChild does the work of a child process of the server's, if this is one.
func runChild() bool { return devstack.RunChild() || dbchild.RunChild() }

// explainStack makes a failure of an error of the private PostgreSQL or S3 server, if it is one.
func explainStack(err error, f *failure) bool {
	var stack *devstack.Error
	if !errors.As(err, &stack) {
		return false
	}
	f.message, f.hint = stack.Op+": "+stack.Err.Error(), stack.Hint
	return true
}

func checkKMS(s string) error {
	if err := seal.CheckKMS(s); err != nil {
		return errors.New(ingest.MessageOf(err) + ", " + ingest.HintOf(err))
	}
	return nil
}

// alive reports whether a process of that id runs.
func alive(pid int) bool {
	if pid <= 0 {
		return false
	}
	_, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
	return err == nil
}
