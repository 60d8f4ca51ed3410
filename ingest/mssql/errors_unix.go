//go:build unix

package mssql

import "syscall"

// errnoRefused is the network's word for a port on which nothing listens.
const errnoRefused = syscall.ECONNREFUSED
