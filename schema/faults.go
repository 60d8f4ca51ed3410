package schema

import (
	"fmt"
	"strings"
)

// maxFaults bounds how many faults of a definition are collected: enough to mend a file in one go, few enough to read.
const maxFaults = 50

// Fault is one thing that is wrong with a definition file.
type Fault struct {
	File   string
	Line   int // from 1; 0 when the fault belongs to the whole file
	Reason string
}

// String is the fault as a compiler would print it: "file:line: reason".
func (f Fault) String() string {
	if f.Line == 0 {
		return f.File + ": " + f.Reason
	}
	return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Reason)
}

// Faults is the error of a definition that was refused: every fault found, in the order of the file's sections.
type Faults []Fault

// Error lists the faults, one a line.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.String()
	}
	return strings.Join(lines, "\n")
}
